"""What a user should hear at once of a reply that was paid for and is no full answer."""

from __future__ import annotations

from collections.abc import Iterator

from vlmis_utils.models.vlm.openai_reply import Reply, well_formed
from vlmis_utils.protocol.reasoning import split_reasoning

__all__ = ["remarks"]


def remarks(reply: Reply, max_tokens: int, key: str) -> Iterator[tuple[str, str]]:
    """Yield what is remarkable of a reply: its kind, to be said once, and a sentence.

    Args:
        reply: as read, its text not yet made well formed.
        max_tokens: the limit of its tokens.
        key: of the host; one of 8 letters or more should not be part of an answer.

    >>> [kind for kind, _ in remarks(Reply("", finish_reason="length"), 64, "key")]
    ['empty']
    """
    if well_formed(reply.text) != reply.text:
        yield (
            "character",
            "a reply holds half a character: recorded as U+FFFD, the reply itself is kept as it"
            " came",
        )
    if len(key) >= 8 and key in reply.text:
        yield (
            "key",
            "a reply repeats the key, and answers are recorded as they come: replace the key before"
            " you publish the records",
        )
    limit = f"at its limit of {max_tokens} tokens: raise max_tokens in the model's options"
    if reply.finish_reason in ("filtered", "refused"):
        yield "declined", f"a question was declined {_by_whom(reply)}"
    elif not split_reasoning(reply.text)[1].strip():
        if reply.finish_reason == "length":
            thought = reply.reasoning or reply.reasoning_tokens or reply.text.strip()
            spent = " all of it spent on reasoning," if thought else ""
            yield "empty", f"an answer is empty,{spent} cut {limit}"
        else:
            reason = f" (finish reason: {reply.finish_reason})" if reply.finish_reason else ""
            yield "empty", f"an answer is empty{reason}"
    elif reply.finish_reason == "length":
        yield "cut", f"an answer was cut {limit}"


def _by_whom(reply: Reply) -> str:
    if reply.finish_reason == "refused":
        return "by the model"
    return f"by the host's filter: {reply.reason}" if reply.reason else "by the host's filter"
