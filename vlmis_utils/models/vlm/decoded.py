"""From decoded tokens to answers: how each began, why it ended, and its tokens."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from vlmis_utils.models.vlm.first_token import probabilities, sureness
from vlmis_utils.protocol.answer import NOT_FINITE, Answer

__all__ = ["length", "to_answers"]


def to_answers(
    texts: Sequence[str],
    tokens: Sequence[Sequence[int]],
    first: Tensor,
    words: Mapping[str, list[int]],
    ends: Collection[int],
    decisive: Sequence[Collection[int]],
    closed: Sequence[bool],
    prompt_tokens: Sequence[int],
) -> list[Answer]:
    """Return N answers of a generative model.

    Args:
        texts, tokens: of each, the latter with its end and perhaps padding behind.
        first: probabilities of its first token, float32 (N, vocabulary). Where they are no numbers
            the model computed none, and what it wrote means nothing: no answer.
        words: spellings of yes and no.
        ends: end-of-turn tokens.
        decisive: for each answer the tokens that, coming first, are the whole of it.
        closed: whether each question can be answered by yes or no; how others begin is not kept.
        prompt_tokens: read before each.
    """
    yes, no = (probabilities(first, words[word]) for word in ("yes", "no"))
    entropies, margins = sureness(first)
    finite = torch.isfinite(first).all(dim=-1).tolist()
    answers = []
    for at, text in enumerate(texts):
        if not finite[at]:
            answers.append(Answer("", finish_reason=NOT_FINITE))
            continue
        count, ended = length(tokens[at], ends, decisive[at])
        answers.append(
            Answer(
                text,
                p_yes=yes[at] if closed[at] else None,
                p_no=no[at] if closed[at] else None,
                finish_reason="stop" if ended else "length",
                prompt_tokens=prompt_tokens[at],
                completion_tokens=count,
                first_entropy=entropies[at],
                first_margin=margins[at],
            )
        )
    return answers


def length(
    tokens: Sequence[int], ends: Collection[int], decisive: Collection[int] = ()
) -> tuple[int, bool]:
    """Return how many tokens an answer has, padding aside, and whether it came to its end.

    Args:
        tokens: of one answer, perhaps with padding behind.
        ends: end-of-turn tokens; the one met counts.
        decisive: tokens that, coming first, are the whole answer.

    >>> length([7, 8, 2, 0, 0], {2}), length([7, 8, 9], {2}), length([5, 2, 2], {2}, {5})
    ((3, True), (3, False), (1, True))
    """
    if tokens and tokens[0] in decisive:
        return 1, True
    end = next((i for i, token in enumerate(tokens) if token in ends), None)
    return (len(tokens), False) if end is None else (end + 1, True)
