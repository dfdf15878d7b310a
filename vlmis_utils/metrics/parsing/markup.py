"""What answers come wrapped in: special tokens, LaTeX, mark-up, code fences, ticks, check boxes;
and what a model repeats before it answers: the question, its options, the words allowed.

An answer that a wrapping names (a box of LaTeX, a tag ``answer``) becomes "final answer : ...".
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["unasked", "unwrapped"]

_FINAL = "\n final answer : "
_BOX = re.compile(r"<\|begin_of_box\|>|\\(?:boxed|fbox|framebox)\s?\{")
_TOKEN = re.compile(r"<[|｜][^<>|｜\n]{1,40}[|｜]>|\[/?(?:inst|answer|s)\]|</?s>")
_MACRO = re.compile(
    r"\\(?:text(?:bf|it|rm|tt|sf|sc|normal)?|math(?:rm|bf|it|sf|tt)?|emph|mbox|underline|"
    r"operatorname|large|huge|bf|rm|displaystyle|quad|;|,|!)(?![a-z])"
)
_FENCE = re.compile(
    r"```(?:json|ya?ml|xml|text|txt|plaintext|plain|python|markdown|md|bash|html|csv|latex|tex|"
    r"toml|"
    r"javascript|js|output|answer)?[^\S\n]*\n|```"
)
_STRUCK = re.compile(r"~~[^~\n]{1,80}~~")
_TAG = re.compile(r"<\s?(/?)\s?([a-z][\w:-]{0,30})(\s[^<>\n]{0,80})?/?>")
_ATTRIBUTE = re.compile(r"\b(?:value|answer|label|text|content)\s?=\s?[\"']?(yes|no|true|false)\b")
_VERDICT_TAGS = frozenset(("yes", "no", "true", "false", "unsafe"))
_ANSWER_TAGS = frozenset(("answer", "final_answer", "finalanswer", "final", "conclusion", "box"))
_VALUE_TAGS = frozenset(
    ("response", "result", "decision", "verdict", "output", "judgement", "judgment", "reply",
     "label", "prediction", "safe", "is_safe", "safe_to_proceed", "proceed", "visible", "present")
)  # fmt: skip
_QUOTES = re.compile(r"[\"\u201c-\u201f\u00ab\u00bb\u2039\u203a*`#>~_\\]")

_TICK, _CROSS = "\u2705\u2713\u2714\u2611\U0001f44d", "\u274c\u2717\u2718\u2612\u274e\U0001f44e"
_EMPTY = "\u2610\u25a1\u25a2\u25cb\u2b1c\U0001f532"
_YES_NO = r"(?:yes|no|true|false|safe|unsafe|not safe)"
# A box before a word, and whether it is ticked: "[x] no [ ] yes".
_CHOSEN = re.compile(
    rf"(?:[{_TICK}\u2612\u25cf\u25c9\u2b1b]|[\[(][x\u2713\u2714\u2022*][\])])\s?(?={_YES_NO}\b)"
)
_UNCHOSEN = re.compile(rf"(?:[{_EMPTY}]|[\[(] ?[\])])\s?{_YES_NO}\b")
_MARKED = re.compile(
    rf"(?m)^[^\S\n]*[{_TICK}{_CROSS}](?=\s{{0,4}}[^\n]{{0,80}}\b(?:{_YES_NO})\b)|"
    rf"[{_TICK}{_CROSS}](?=\s?[a-z ]{{1,20}}[:=]\s?{_YES_NO}\b)"
)
# Ticks that only underline a word ("yes" and a tick), and ticks at the head of a line.
_SAID = re.compile(
    rf"(\b(?:yes|no)\b[.!]?|\bsafe\b[.!]?(?=\s?[{_TICK}])|\b(?:unsafe|"
    rf"not safe)[.!]?(?=\s?[{_CROSS}]))"
    rf"\s?[{_TICK}{_CROSS}]"
)
_LISTED_TICK = re.compile(rf"(?m)^[^\S\n]*[{_TICK}][^\S\n]*(?=[a-z])")
_LISTED_CROSS = re.compile(rf"(?m)^[^\S\n]*[{_CROSS}][^\S\n]*(?=[a-z])")
_BOXES = re.compile(
    rf"[{_EMPTY}{_TICK}\u2612\u25cf\u25c9\u2b1b]|[\[(][x\u2713\u2714\u2022* ]?[\])]"
)
_CROSSED = re.compile(r"[\u274c\u2717\u2718]\s?(?:yes|safe|true)\b")

_OPPOSITES = (("yes", "no"), ("true", "false"), ("y", "n"), ("safe", "(?:unsafe|not safe)"),
              ("present", "absent"), ("go", "stop"))  # fmt: skip
_EITHER = "|".join(
    rf"{one}(?:\s?[/|]\s?|\sor\s){other}"
    for pair in _OPPOSITES
    for one, other in (pair, pair[::-1])
)
_ALLOWED = re.compile(
    rf"[(\[{{]?\b(?:with (?:only |just )?(?:a )?(?:simple )?)?(?:{_EITHER})\b"
    r"(?: only)?\s?[)\]}]?|"
    r"\b(?:answers|options|choices|choose|one of|from)(?: are| is)?\s?:?\s?[\[({]?\s?"
    r"(?:yes\s?,\s?(?:or )?no|no\s?,\s?(?:or )?yes)\b"
)
_OPTIONS = re.compile(
    r"[(\[]?\b(?:option )?([a-d1-4])[).:\]]+ ?(yes|no|safe|unsafe)\b[\s,.;|/]*(?:or )?"
    r"[(\[]?\b(?:option )?([a-d1-4])[).:\]]+ ?(yes|no|safe|unsafe)\b"
)
_LETTER = re.compile(r"(?:^|(?<=[(\[\s:]))([a-d1-4])(?=\s*$|[)\].,:;\n])")


def unwrapped(text: str) -> str:
    """Return a text in lower case without its wrappings; words, lines and plain marks stay.

    >>> unwrapped("The answer is **No**.").split()
    ['the', 'answer', 'is', 'no', '.']
    """
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(
        c for c in plain if not unicodedata.combining(c) and unicodedata.category(c) != "Cf"
    )
    plain = plain.upper().casefold().replace("\ufe0f", "")
    plain = re.sub(r"[\u2018-\u201b\u02bc\u00b4]", "'", plain)
    if "{" in plain or "<" in plain or "[" in plain or "\\" in plain:
        plain = _TAG.sub(_tag, _TOKEN.sub(" ", _MACRO.sub(" ", _BOX.sub(_boxed, plain))))
    plain = re.sub(r"(?m)^[^\S\n]*\|?(?:\s?:?-{2,}:?\s?\|)+(?:\s?:?-{2,}:?)?\s*$", "", plain)
    plain = _STRUCK.sub(" ", _FENCE.sub("\n", plain))
    if len(_BOXES.findall(plain)) > 1:
        plain = _UNCHOSEN.sub(" ", plain)
    plain = _CHOSEN.sub(" : ", _CROSSED.sub(" ", plain))
    plain = _SAID.sub(r"\1", re.sub(r"(?<=[\w.)*])\s{1,3}#\s", "\n", plain))
    plain = _MARKED.sub("", _lettered(plain))
    plain = _LISTED_CROSS.sub("no ", _LISTED_TICK.sub("", plain))
    plain = _ticked(plain, _TICK, " : yes ")
    plain = _ticked(plain, _CROSS, " : no ")
    plain = _dashed(plain)
    plain = re.sub(r"(?m)^[^\S\n]*\*[^\S\n]+", "- ", plain)
    return _QUOTES.sub(" ", plain)


def unasked(plain: str) -> str:
    """Return a normalised answer without what it repeats of the question.

    Questions before other words go, and "yes or no" and its like.

    >>> unasked("is there a bus? answer yes or no. no").split()
    ['answer', '.', 'no']
    """
    if "?" in plain:
        pieces = re.split(r"(?<=[.!?\n;])", plain)
        said = [bool(re.search(r"\w", piece)) for piece in pieces]
        last = max((i for i, words in enumerate(said) if words), default=0)
        kept = [p for i, p in enumerate(pieces) if i >= last or not p.endswith("?")]
        plain = "".join(kept)
    return _ALLOWED.sub(" ", plain)


def _lettered(plain: str) -> str:
    """Leave out the options "a) yes b) no"; the letter chosen becomes its word."""
    found = _OPTIONS.search(plain)
    if not found or found[2] == found[4]:
        return plain
    words = {found[1]: found[2], found[3]: found[4]}
    rest = plain[: found.start()] + "\n" + plain[found.end() :]
    return _LETTER.sub(lambda letter: words.get(letter[1], letter[1]), rest)


def _boxed(found: re.Match[str]) -> str:
    return _FINAL + ("{" if found[0].endswith("{") else "")


def _tag(found: re.Match[str]) -> str:
    name, closing = found[2], found[1]
    attribute = _ATTRIBUTE.search(found[3] or "")
    if attribute:
        return f"\n{name} : {attribute[1]}\n"
    if name in _VERDICT_TAGS:
        return f" {name} "
    if name in _ANSWER_TAGS:
        return "\n" if closing else _FINAL
    if name in _VALUE_TAGS:
        return "\n" if closing else f"\n {name} : "
    return "\n" if name in ("br", "p", "div", "li", "tr") else " "


def _ticked(text: str, ticks: str, words: str) -> str:
    """Put words for a tick, the space before it, and a colon there; in one pass."""
    *parts, rest = re.split(f"[{ticks}]", text)
    return "".join(part.rstrip().removesuffix(":").rstrip() + words for part in parts) + rest


def _dashed(text: str) -> str:
    """Put a hyphen between spaces for a dash and the space around it; in one pass."""
    first, *parts = re.split("[\u2012-\u2015]", text)
    if not parts:
        return text
    middle = [part.strip() for part in parts[:-1]]
    return " - ".join([first.rstrip(), *middle, parts[-1].lstrip()])
