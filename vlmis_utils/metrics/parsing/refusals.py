"""Refusals in words: "I'm sorry, I cannot help with that", "No image was provided".

A clause that declines is left out before anything else is read, and with it the courtesies around
it ("Please upload it again"). That a class cannot be seen is an answer, no refusal: "I cannot see
any pedestrians", "Sorry, no pedestrians visible". That nothing can be told ("It is too dark to
tell") abstains, and declines nothing.
"""

from __future__ import annotations

import re

from vlmis_utils.metrics.parsing.tokens import normalise

__all__ = ["without_refusals"]


def _joined(pattern: str, **parts: str) -> str:
    """Return a pattern without its line ends and the indents after them; {parts} filled in."""
    pattern = re.sub(r"\n\s*", "", pattern)
    for name, part in parts.items():
        pattern = pattern.replace(f"{{{name}}}", part)
    return pattern


_PICTURE = _joined(
    r"""(?:images?|pictures?|photos?|photographs?|attachments?|visual(?:s| content| input| data)?
    |files?|screenshots?|frames?)"""
)
_THE = _joined(
    r"""(?:(?:the|this|that|your|any|an|a|these|those|actual|attached|provided|uploaded|visual|real
    |external|image) )*"""
)
_CANNOT = _joined(
    r"""(?:(?:can|could|will|would|may|must|shall) not|unable to|incapable of|can no longer
    |not (?:able|allowed|permitted|supposed|going|qualified|equipped|designed|programmed|trained
    |authori[sz]ed) to|not capable of|not comfortable|not in a position to|not support
    |not appropriate for me to|declin(?:e|ing) to|refuse to|have to decline|must decline
    |prefer not to|rather not|not possible for me to|must refrain from|forbidden to
    |prohibited from|no ability to|no way to|lack (?:the )?(?:ability|capability|access)(?: to)?
    |not have (?:the )?(?:ability|capability|capacity|means|access|permission|authority)(?: to)?)"""
)
_HELP = _joined(
    r"""(?:be able to )?(?:help(?:ing)?(?! but\b| notic)|assist(?:ing)?|comply(?:ing)?|fulfil\w*
    |respond(?:ing)?|answer(?:ing)?|comment(?:ing)?|discuss(?:ing)?|engag\w+|advis\w+
    |participat\w+|oblige|do (?:that|this|so)|continue (?:with|this)|generat\w+
    |process (?:this|your|the|that|requests?)|(?:complete|support) (?:this|your|the|that)
    |(?:provid|offer|giv|shar)(?:e|ing) (?:(?:any|an?|such|specific|real time|that|this|the|kind of
    |you(?: with)?|safety|driving|legal|medical|professional|personal) )*(?:help|assistance|answers?
    |advice|information|guidance|response|descriptions?|assessment|judge?ments?|instructions
    |opinion)
    |mak(?:e|ing) (?:(?:any|an?|such|that|this|safety|driving|real time|kind of|those) )*
    (?:decisions?|judge?ments?|assessments?|determinations?|call|recommendations?))"""
)
_IDENTIFY = _joined(
    r"""(?:identify(?:ing)?|recogni[sz](?:e|ing)|describ(?:e|ing)|analy[sz](?:e|ing)|nam(?:e|ing)
    |say(?:ing)? anything about|make statements about) (?:(?:the|this|these|real|specific
    |individual|any real|private) )*(?:people|persons?|individuals?|faces|humans|who\b)"""
)
_VIEW = _joined(
    r"""(?:(?:directly|actually|currently|physically|visually) )*(?:see(?:ing)?|view(?:ing)?
    |access(?:ing)?|open(?:ing)?|load(?:ing)?|display(?:ing)?|process(?:ing)?|describ(?:e|ing)
    |analy[sz](?:e|ing)|interpret(?:ing)?|inspect(?:ing)?|examin(?:e|ing)|read(?:ing)?|look at
    |perceive|retriev\w+|receiv\w+|find|detect|to)? ?(?:or \w+ )?(?:and \w+ )?"""
)
# "The image clearly", "an image of a bus" are about what it shows, not whether it is there.
_WHOLE = _joined(
    r"""(?! (?:of(?! (?:people|persons|individuals|humans))|with|containing|showing|that|clearly
    |well|properly|in detail|sharply|enough))"""
)
_DECLINES = re.compile(
    _joined(
        r"""\b{cannot} {help}\b
        |\b{cannot} {identify}
        |\b{cannot} {view}{the}{picture}\b{whole}
        |\bnot (?:actually |currently )?(?:see|seeing|have|find|receive|get) (?:(?:any|an?|the
        |your) )?(?:attached |provided |uploaded )?{picture}\b{whole}
        |\bno {picture}(?: file)?(?: (?:was|were|is|are|has been|have been|to|here|yet|data|input
        |for me))*(?: (?:provided|attached|uploaded|available|given|received|included|found
        |supplied|present|shared|sent|detected|accessible|visible to me|analy[sz]e|view|describe
        |look at)\b|$)
        |\b{picture}(?: (?:you|that|which|have|\w{1,12}ed|sent|itself|link|url))* (?:
        (?:seems|appears) to (?:be missing|have failed)
        |(?:did|does|do|will|could|can) not (?:seem to )?(?:have )?(?:load|open|come through
        |show up|display|render|upload|get through|attach)(?:ed)?\b
        |(?:(?:could|can) not be|(?:was|is|were|are) not|(?:has|have) not been) (?:\w+ly )?(?:load
        |open|display|render|upload|attach|provid|process|view|access|receiv|available|includ|shar
        |given|found|support|readable|retriev|fetch|download|analy|interpret)\w*
        |failed to (?:load|open|display|render|upload)
        |not (?:found|available|loaded|provided|attached|uploaded|received|accessible)\b
        |(?:is|are|was|were) (?:missing|corrupt\w*|unavailable|inaccessible|broken|unreadable))
        |\bthere (?:does|do) not (?:appear|seem) to (?:be|have been) {the}{picture}\b{whole}
        |\byou (?:have not|did not|never|forgot to) (?:\w+ )?(?:provide|upload|attach|share|send
        |sent|include|give)\w* (?:me )?{the}{picture}\b
        |\b(?:please|could you|can you|would you|kindly)(?: please)? (?:provide|re ?upload|upload
        |attach|share|send|resend|supply|insert) (?:me |again )?(?:with )?{the}{picture}\b
        |\bi (?:would |will )?need (?:to see )?(?:{the}(?:{picture}|video)
        |more (?:context|information))\b
        |\bwithout (?:seeing )?{the}{picture}\b(?=.{0,60}\bnot\b)
        |\b(?:is|are) (?:something|not something) (?:that )?i (?:can|could|will|am able to)\b
        |\b(?:prefer|rather|choose) not (?:to )?(?:say|answer|tell|comment|judge)\b
        |\bcan not be (?:answered|discussed)\b
        |\b(?:lack|have no|not have) (?:\w+ ){0,3}(?:to see|vision|sight
        |visual (?:\w+ )?(?:capabilit\w+|abilit\w+|perception))
        |\bnot (?:qualified|allowed|able|my place|for me) to (?:judge|advise|say that|decide)\b
        |\bfailed to (?:load|open|display|fetch|download|process) {the}{picture}
        |\b(?:content|usage|use|safety|community|privacy|company|my|our|the)(?: \w+)? (?:
        polic(?:y|ies)|guidelines|terms of (?:use|service))\b
        |\bmy (?:programming|instructions|training|safety \w+)\b.{0,120}\b(?:not|forbids?|prevents?
        |prohibits?|stops?)\b
        |\b(?:request|response|prompt|reply|answer) (?:was |is |has been |had to be )?(?:refused
        |blocked|rejected|declined|denied|filtered|flagged|withheld)
        |\bi (?:respectfully |politely |must )?(?:decline|refuse|abstain|pass)\b
        |^(?:no comment|sorry|apologies|my apologies|request refused)$
        |\b(?:am|are) (?:(?:just|only|merely) )?(?:a |an )?(?:text (?:based|only)|language) (?:
        \w+ )?(?:model|ai|assistant)\b
        |\b(?:programmed|designed|trained|instructed|configured) (?:not to|to not)\b
        |\b(?:must|have to) (?:\w+ )?decline\b
        |\b(?:because|since|as) it (?:was|is|has) not (?:been )?(?:provided|attached|uploaded)\b
        |\bi (?:do not have|have no) (?:eyes|vision|access|way of seeing|ability)\b""",
        cannot=_CANNOT,
        help=_HELP,
        identify=_IDENTIFY,
        view=_VIEW,
        the=_THE,
        picture=_PICTURE,
        whole=_WHOLE,
    )  # fmt: skip
)
# "As an AI language model, ..." declines where what it says is that it does not or cannot.
_AS_AI = re.compile(
    _joined(
        r"""\b(?:as an? (?:\w+ ){0,3}(?:ai|language model|model|chatbot|virtual assistant|machine)\b
        |i am (?:just |only )?an? (?:\w+ ){0,3}(?:ai|language model|chatbot)\b)"""
    )
)
_NEGATES = re.compile(
    _joined(
        r"""\b(?:(?:can|could|do|will|would|must|should|may|am|have)(?: not| never| no)|unable to
        |lack|incapable of|must refrain)(?! (?:really |clearly )?(?:see|seeing|observe|detect|find
        |notice|spot|be (?:sure|certain)))\b"""
    )
)
_COURTESY = re.compile(
    _joined(
        r"""^(?:(?:i am )?(?:(?:so|very|really|truly|terribly) )?(?:sorry|afraid)
        |i (?:do )?apologi[sz]e.*|(?:my )?apologies.*|unfortunately|regrettably|thanks?(?: you)?.*
        |hello|hi|it (?:seems|looks|appears)(?: like| that)?|for (?:that|this)
        |as (?:that|this|it|doing so) .*|i hope .*|have a .*)$
        |\b(?:please|could you|can you|would you|kindly|feel free|let me know|if you
        |(?:happy|glad) to|try (?:again|uploading)|consult|contact|you (?:can|could|may|might) (?:
        \w+ )?(?:upload|describe|provide|share|ask|try)|(?:anything|something) else
        |what (?:else )?can i|i can (?:only )?(?:help|assist)|i would be|instead|other questions?
        |i am (?:here|designed|trained|only|just) )"""
    )
)
_CUT = re.compile(r"(?<=[.!?;\n])|,(?= but\b)|\bbut\b|\bhowever\b")


def without_refusals(text: str) -> tuple[str, bool]:
    """Return a text without the clauses that decline, and whether there were any.

    Args:
        text: an answer.

    Returns:
        The text as it is where nothing declines; else what is left of it, in lower case.

    >>> without_refusals("I'm sorry, I cannot help with identifying people in images.")
    ('', True)
    >>> without_refusals("Sorry, no pedestrians visible.")
    ('Sorry, no pedestrians visible.', False)
    """
    plain = normalise(text)
    clauses = [piece for piece in _CUT.split(plain) if piece]
    refused = [_declines(clause) for clause in clauses]
    if not any(refused):
        return text, False
    pairs = zip(clauses, refused, strict=True)
    kept = [c for c, declines in pairs if not declines and not _courteous(c)]
    return " ".join(kept).strip(), True


def _declines(clause: str) -> bool:
    clause = clause.strip(" .,!?;:\n-")
    found = _AS_AI.search(clause)
    return bool(_DECLINES.search(clause) or (found and _NEGATES.search(clause, found.end())))


def _courteous(clause: str) -> bool:
    bare = clause.strip(" .,!?;:\n-")
    return not bare or bool(_COURTESY.search(bare))
