"""From the body of a chat completion to an answer: text, reasoning, why it ended, and its tokens.

Servers that call themselves compatible differ in all of these. Nothing here raises on what a server
has sent: a reply is paid for, so what cannot be read is recorded as such, never asked for again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from vlmis_utils.protocol.answer import FILTERED, REFUSAL

__all__ = ["UNREADABLE", "Reply", "first_words", "read_reply", "well_formed"]

# The finish reason of a reply that no rule here can read.
UNREADABLE = "unreadable"

# Words for why a text ended, in lower case, as OpenAI, Google, Anthropic, Mistral, Cohere, Amazon,
# Azure, Zhipu, vLLM and TGI have them, and ours.
_REASONS: dict[str, tuple[str, ...]] = {
    "stop": ("stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed"),
    "length": ("length", "max_tokens", "model_length", "max_output_tokens", "token_limit"),
    "filtered": (
        "content_filter", "content_filtered", "filtered", "safety", "image_safety", "recitation",
        "image_recitation", "blocklist", "prohibited_content", "image_prohibited_content", "spii",
        "sensitive", "error_toxic", "guardrail_intervened", "moderation", "blocked",
    ),
    "refused": ("refusal", "refused"),
}  # fmt: skip
_OURS = {word: ours for ours, words in _REASONS.items() for word in words}

_REASONING = ("reasoning_content", "reasoning", "thinking", "thought", "reasoning_details")


@dataclass(frozen=True)
class Reply:
    """What a hosted model answered to one prompt about one image, and what that took.

    Attributes:
        text: the answer, unread; a refusal or filter has its mark in front.
        p_yes, p_no: as in `protocol.answer.Answer`.
        prompt_tokens, answer_tokens: as the server counts them, image included; None if untold.
        cost: US dollars; None where the entry has no prices or the server tells no tokens.
        reasoning, finish_reason, reasoning_tokens: as in `protocol.answer.Answer`.
        reason: why the host declined, in its words; None where it did not, or did not say.
    """

    text: str
    p_yes: float | None = None
    p_no: float | None = None
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    cost: float | None = None
    reasoning: str | None = None
    finish_reason: str | None = None
    reasoning_tokens: int | None = None
    reason: str | None = None

    @property
    def untold(self) -> bool:
        """Whether the host gave no answer, and told no tokens for that."""
        nothing = self.finish_reason in ("filtered", "no choices", UNREADABLE)
        return nothing and self.prompt_tokens is None


def read_reply(body: str) -> Reply:
    """Return what a chat completion says.

    Args:
        body: JSON, as it came.

    >>> read_reply('{"choices": [{"message": {"content": "A ca"}, "finish_reason": "MAX_TOKENS"}]}')
    Reply(text='A ca', p_yes=None, p_no=None, prompt_tokens=None, answer_tokens=None, cost=None, \
reasoning=None, finish_reason='length', reasoning_tokens=None, reason=None)
    """
    try:
        return _read(_mapping(json.loads(body, strict=False)))
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError):
        return Reply("", finish_reason=UNREADABLE)


def well_formed(text: str) -> str:
    """Return a text that every encoding takes: halves of surrogate pairs become U+FFFD.

    >>> well_formed("a \\ud83d b"), well_formed("\\ud83d\\ude97") == chr(0x1F697)
    ('a \ufffd b', True)
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def first_words(choice: Mapping) -> tuple[float | None, float | None]:
    """Return the probabilities that the text begins with yes and with no, None where not told.

    Only the likeliest first tokens are told, so these are lower bounds, tight where it matters.
    Numbers that are no logarithms of probabilities count as not told.

    Args:
        choice: of a chat completion, with ``logprobs`` where the server gives them.
    """
    content = _mapping(choice.get("logprobs")).get("content")
    first = _mapping(content[0]) if isinstance(content, list) and content else {}
    told = [_mapping(top) for top in first.get("top_logprobs") or ()]
    if not told:
        return None, None
    sums = {"yes": 0.0, "no": 0.0}
    for top in told:
        word, logarithm = str(top.get("token", "")).strip().lower(), top.get("logprob")
        if word not in sums:
            continue
        if not _number(logarithm) or math.isnan(logarithm) or logarithm > 1e-3:
            return None, None
        sums[word] += math.exp(logarithm)
    return min(sums["yes"], 1.0), min(sums["no"], 1.0)


def _read(body: Mapping) -> Reply:
    choices = body.get("choices")
    choices = choices if isinstance(choices, list) else []
    choice = next((c for c in choices if isinstance(c, Mapping)), {})
    message = _mapping(choice.get("message"))
    content = message.get("content", choice.get("text"))
    text = "".join(_texts(content, {"text", "output_text"}))
    refusal = "".join(_texts(message.get("refusal"), None))
    refusal = refusal or "".join(_texts(content, {"refusal"}))
    thoughts = [*_texts(content, {"thinking", "reasoning", "thought"})]
    thoughts += dict.fromkeys(  # servers that give it under two names give it twice
        "".join(_texts(message.get(key), None)) for key in _REASONING
    )
    reason = _reason(choice, body)
    if reason == "filtered":
        text = f"{FILTERED} {text or refusal}".rstrip()
    elif refusal:
        text, reason = f"{REFUSAL} {refusal} {text}".rstrip(), "refused"
    usage = _mapping(body.get("usage"))
    details = usage.get("completion_tokens_details") or usage.get("output_tokens_details")
    yes, no = first_words(choice)
    return Reply(
        text,
        yes,
        no,
        _count(usage, "prompt_tokens", "input_tokens"),
        _count(usage, "completion_tokens", "output_tokens"),
        reasoning="\n".join(filter(None, thoughts)) or None,
        finish_reason=reason,
        reasoning_tokens=_count({**usage, **_mapping(details)}, "reasoning_tokens"),
    )


def _reason(choice: Mapping, body: Mapping) -> str | None:
    """Return why the text ended, in our words where they have one."""
    feedback = [_mapping(body.get(key)) for key in ("prompt_feedback", "promptFeedback")]
    if any(key in told for told in feedback for key in ("block_reason", "blockReason")):
        return "filtered"
    if not choice:
        return UNREADABLE if body.get("choices") else "no choices"
    if not isinstance(choice.get("message"), Mapping) and not choice.get("text"):
        return UNREADABLE
    said = choice.get("finish_reason") or choice.get("native_finish_reason")
    if said is None:
        return None
    word = str(said).strip().lower().removeprefix("finish_reason_")
    return _OURS.get(word, word)


def _texts(content: object, kinds: Iterable[str] | None) -> Iterator[str]:
    """Yield the pieces of content: a string, a part, or a list of them.

    Args:
        content: of a message.
        kinds: types of the parts wanted; a bare string is a ``text``. None takes all.
    """
    if isinstance(content, str):
        if kinds is None or "text" in kinds:
            yield content
    elif isinstance(content, list):
        for part in content:
            yield from _texts(part, kinds)
    elif isinstance(content, Mapping):
        kind = str(content.get("type", "text"))
        if kinds is None or kind in kinds:
            for key in dict.fromkeys((kind, "text", "summary", "content", "value")):
                if content.get(key):
                    yield from _texts(content[key], None)
                    return


def _mapping(value: object) -> Mapping:
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _count(usage: Mapping, *names: str) -> int | None:
    """Return the first of some counts that is one."""
    for name in names:
        value = usage.get(name)
        if _number(value) and math.isfinite(value) and 0 <= value < 2**53:
            return int(value)
    return None
