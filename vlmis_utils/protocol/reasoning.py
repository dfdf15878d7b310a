"""What a model thought before it answered, told apart from its answer.

Serving stacks hand reasoning out in many forms: tags (Qwen, DeepSeek, EXAONE, LLaVA-CoT), tags of
which only the closing one is sent, special tokens (Kimi, Cohere, Seed, Magistral, Gemma), the
channels of gpt-oss with or without their markers, lines of a terminal (Ollama), fields of JSON.
Records keep the raw text; whoever reads it splits it here.
"""

from __future__ import annotations

import json
import re

__all__ = ["split_reasoning"]

_NAMES = (
    r"(?:ant|seed:|mm:)?think(?:ing)?|thoughts?|thought_process|reasoning|reflection|analysis|"
    r"chain_of_thought|cot|scratchpad|inner_monologue|internal_monologue|reasoning_content"
)
_LEFT, _RIGHT = r"(?:<|&lt;|\\u003c|＜)", r"(?:>|&gt;|\\u003e|＞)"
# One mark of reasoning; the name of the group that matches says what it does.
_MARK = re.compile(
    rf"""
    (?P<closer>
        {_LEFT}\s?[/\\]\s?(?:{_NAMES})\s?{_RIGHT} | \[/(?:think|thinking|reasoning|thought)\]
      | ◁\s?/\s?think(?:ing)?\s?▷ | <\|/(?:{_NAMES})\|> | <\|end_(?:of_)?(?:thought|thinking)\|>
      | <[|｜]end▁of▁thinking[|｜]> | <channel\|> | <unused95>
      | ^[ \t]*(?:\.\.\.|…)done[ ]thinking\.?[ \t]*$
    )
  | (?P<empty> {_LEFT}\s?(?:{_NAMES})\s?/\s?{_RIGHT} )
  | (?P<opener>
        {_LEFT}\s?(?:{_NAMES})(?:\s[^<>\n]{{0,80}})?{_RIGHT}
      | \[(?:think|thinking|reasoning|thought)\]
      | ◁\s?think(?:ing)?\s?▷ | <\|(?:{_NAMES})\|> | <\|(?:begin_of|start)_(?:thought|thinking)\|>
      | <[|｜]begin▁of▁thinking[|｜]> | <\|channel>\s?(?:thought|analysis)\b
      | <unused94>(?:thought\b)? | \A\s*thinking(?:\.\.\.|…)[ \t]*$
    )
    """,
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_CHANNEL = re.compile(
    r"<\|channel\|>\s*(\w+)[^<]{0,80}(?:<\|constrain\|>[^<]{0,80})?(?:<\|message\|>)?|"
    r"\b(analysis|commentary|final)\s*<\|message\|>"
)
_TOKENS = re.compile(r"<\|(?:start|end|return|call|channel)\|>(?:\s*assistant)?")
# The same channels where a stack has dropped the special tokens: "analysisThe ... assistantfinal".
_BARE = re.compile(
    r"\A\s*(?:assistant\s?)?(?:analysis(?=[A-Z\"'“(]|[ \t]*\n)|commentary(?=[A-Z]))|assistantfinal"
)
_BARE_FINAL = re.compile(r"assistant\s{0,3}final(?:\s*json)?|^[ \t]*final[ \t]*$", re.MULTILINE)
# Where the answer begins, in forms that name it; what comes before is reasoning.
_ANSWER = re.compile(
    r"<(?:final_?answer|answer|final|conclusion|response)>|<\|begin_of_solution\|>|"
    r"<\|start_response\|>",
    re.IGNORECASE,
)
_UNCONCLUDED = re.compile(r"\A\s*<summary>", re.IGNORECASE)  # LLaVA-CoT, cut before its conclusion
_DETAILS = re.compile(
    r"<details\s[^<>]{0,80}reasoning[^<>]{0,80}>(.*?)(?:</details>|\Z)", re.DOTALL
)
_QUOTED = re.compile(
    r"\A\s*[*_]{1,2}Thinking(?:\.\.\.|…)[*_]{1,2}[ \t]*\n(?:[ \t]*\n)*((?:>.*(?:\n|\Z))+)"
)
_OPENING_WORDS = re.compile(
    r"\A[\s*_#]*(?:reasoning|thoughts?|thinking|thought process|chain[ -]of[ -]thought|"
    r"step[ -]by[ -]step reasoning|(?:here(?:'|’| i)s )?my (?:thought process|reasoning))"
    r"[*_]*\s?(?::|\n)",
    re.IGNORECASE,
)
_CLOSING_WORDS = re.compile(
    r"^[ \t*_#]*(?:(?:final |my )?(?:answer|response|description|output|conclusion|decision|"
    r"verdict)|here(?:'|’| i)s my (?:response|answer))[*_]*[ \t]?(?::|$)",
    re.IGNORECASE | re.MULTILINE,
)
_FIELDS = frozenset(
    ("reasoning", "reasoning_content", "thinking", "think", "thought", "thoughts",
     "chain_of_thought", "thought_process", "scratchpad")
)  # fmt: skip


def split_reasoning(text: str) -> tuple[str, str]:
    """Return what a text holds of reasoning, and what of answer.

    A block that is never closed (the token limit cut it) runs to the end: it answers nothing. A
    closing mark without an opening one ends reasoning that began with the text.

    Args:
        text: a reply, as a model gave it.

    Returns:
        reasoning ("" where there is none) and answer. A text without any mark is its own answer,
        unchanged.

    >>> split_reasoning("<think>Is that a bus? No, a truck.</think>\\n\\nNo.")
    ('Is that a bus? No, a truck.', 'No.')
    >>> split_reasoning("A bus? No.\\n</think>\\nA street."), split_reasoning("<think>Yes, a")
    (('A bus? No.', 'A street.'), ('Yes, a', ''))
    """
    thought: list[str] = []
    answer = text
    for split in (_channels, _marks, _blocks, _headed, _fields):
        found = split(answer)
        if found is not None:
            thought += [piece.strip() for piece in found[0] if piece.strip()]
            answer = found[1].strip()
    return "\n".join(thought), answer


def _channels(text: str) -> tuple[list[str], str] | None:
    """Split by the channels of gpt-oss: all but the final one is reasoning."""
    marks = list(_CHANNEL.finditer(text))
    if not marks:
        if not _BARE.match(text) and "assistantfinal" not in text:
            return None
        finals = list(_BARE_FINAL.finditer(text))
        if not finals:
            return [text], ""
        return [text[: finals[-1].start()]], text[finals[-1].end() :]
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    thought, answer = [_TOKENS.sub(" ", text[: marks[0].start()])], []
    for mark, end in zip(marks, ends, strict=True):
        said = _TOKENS.sub(" ", text[mark.end() : end])
        (answer if (mark[1] or mark[2]) == "final" else thought).append(said)
    return thought, "".join(answer)


def _marks(text: str) -> tuple[list[str], str] | None:
    """Split by opening and closing marks, whichever of the two are there."""
    thought: list[str] = []
    answer: list[str] = []
    inside, nested, closed, start, last = False, 0, False, 0, len(text.rstrip())
    for mark in _MARK.finditer(text):
        (thought if inside else answer).append(text[start : mark.start()])
        start = mark.end()
        if mark["opener"]:
            nested += inside
            inside = True
        elif mark["closer"] and inside:
            inside, closed = False, True
        elif mark["closer"] and (nested or not closed or start < last):
            thought += answer
            answer.clear()
            nested, closed = max(nested - 1, 0), True
    if not start:
        return None
    (thought if inside else answer).append(text[start:])
    return thought, "".join(answer)


def _blocks(text: str) -> tuple[list[str], str] | None:
    """Split off a folded or quoted block, and all that comes before a tag named answer."""
    for pattern in (_DETAILS, _QUOTED):
        found = pattern.search(text)
        if found:
            return [found[1]], text[: found.start()] + text[found.end() :]
    found = _ANSWER.search(text)
    if found:
        return [text[: found.start()]], text[found.start() :]
    return ([text], "") if _UNCONCLUDED.match(text) else None


def _headed(text: str) -> tuple[list[str], str] | None:
    """Split "Reasoning: ..." from the line "Answer: ..." after it."""
    opening = _OPENING_WORDS.match(text)
    closing = _CLOSING_WORDS.search(text, opening.end()) if opening else None
    return ([text[: closing.start()]], text[closing.start() :]) if closing else None


def _fields(text: str) -> tuple[list[str], str] | None:
    """Split the fields of a JSON object that are named reasoning from the others."""
    bare = re.sub(r"\A```\w*", "", text.strip()).removesuffix("```").strip()
    if not (bare.startswith("{") and any(name in bare for name in _FIELDS)):
        return None
    try:
        fields = json.loads(bare)
    except (ValueError, RecursionError):
        return None
    thought = {key: value for key, value in fields.items() if key.lower() in _FIELDS}
    rest = {key: value for key, value in fields.items() if key not in thought}
    if not thought or not rest:
        return None
    said = [v if isinstance(v, str) else json.dumps(v) for v in thought.values()]
    return said, json.dumps(rest, ensure_ascii=False)
