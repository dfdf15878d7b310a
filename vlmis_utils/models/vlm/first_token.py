"""How a text begins: the probabilities of its first token, a reading that needs no parser."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor, StoppingCriteria

__all__ = ["FirstStep", "StopAtFirst", "generate", "probabilities", "spellings",
           "sureness"]  # fmt: skip


def spellings(tokenizer: Any, word: str) -> list[int]:
    """Return the ids of all tokens that spell a word, whatever their case and white space.

    Args:
        tokenizer: of transformers.
        word: in lower case, such as "yes".
    """
    ids = range(len(tokenizer))
    return [i for i in ids if tokenizer.decode([i]).strip().lower() == word]


def probabilities(shares: Tensor, ids: list[int]) -> list:
    """Return the probability in [0, 1] that a first token is one of ``ids``.

    Args:
        shares: probabilities of every token, float32 (..., vocabulary).
        ids: tokens, such as the `spellings` of a word.

    Returns:
        Lists nested as the leading axes, with None for a vocabulary that has no such token.

    >>> probabilities(torch.tensor([[0.5, 0.25, 0.25]]), [0, 2])
    [0.75]
    >>> probabilities(torch.zeros(2, 1, 3), [])
    [[None], [None]]
    """
    if ids:
        return shares[..., ids].sum(dim=-1).tolist()
    nothing: Any = None
    for size in reversed(shares.shape[:-1]):
        nothing = [nothing] * size
    return nothing


def sureness(shares: Tensor) -> tuple[list[float], list[float]]:
    """Return how sure a first token is: entropy by its greatest value, and the margin.

    Args:
        shares: probabilities of every token, float32 (N, vocabulary).

    Returns:
        N entropies over the log of the vocabulary's size, and N gaps of the two greatest
        probabilities, all in [0, 1]; NaN where a row is.

    >>> sureness(torch.tensor([[0.5, 0.5, 0.0, 0.0]]))
    ([0.5], [0.0])
    """
    bits = torch.special.entr(shares).sum(dim=-1) / math.log(max(2, shares.shape[-1]))
    best = shares.topk(min(2, shares.shape[-1]), dim=-1).values
    return bits.clamp(0, 1).tolist(), (best[..., 0] - best[..., -1]).tolist()


class FirstStep(LogitsProcessor):
    """Keeps the scores of the first decoding step, those that the greedy choice is made from.

    Give it to ``generate`` as a logits processor: it changes nothing.

    Attributes:
        shares: probabilities of every token as the first, float32 (B, V); None before that step.
    """

    def __init__(self) -> None:
        self.shares: Tensor | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Keep the scores (B, V) if these are the first, and return them as they are."""
        if self.shares is None:
            self.shares = torch.softmax(scores.float(), dim=-1)
        return scores


class StopAtFirst(StoppingCriteria):
    """Ends, in ``generate``, the texts whose first token is one of ``ids``."""

    def __init__(self, ids: Collection[int]) -> None:
        self._ids, self._asked = ids, False

    def __call__(self, input_ids: Tensor, scores: Tensor, **_: Any) -> Tensor:
        """Return which texts (B,) end; only at the first step are there any."""
        first, self._asked = not self._asked, True
        ids = input_ids.new_tensor(sorted(self._ids) if first else [])
        return torch.isin(input_ids[:, -1], ids)


def generate(
    model: Any, inputs: Any, limit: int, decisive: Collection[int] = ()
) -> tuple[list[list[int]], Tensor]:
    """Answer greedily by the library's own ``generate``.

    Args:
        model: of transformers.
        inputs: of its processor, B rows padded on the left.
        limit: most new tokens.
        decisive: tokens that, coming first, are the whole answer.

    Returns:
        The new tokens of each row, padded on the right, and the probabilities of every token as the
        first, float32 (B, V).
    """
    first = FirstStep()
    out = model.generate(
        **inputs,
        max_new_tokens=limit,
        do_sample=False,
        num_beams=1,
        use_cache=True,
        logits_processor=[first],
        stopping_criteria=[StopAtFirst(decisive)],
    )
    configs = (model.config, model.config.get_text_config())
    if not any(getattr(config, "is_encoder_decoder", False) for config in configs):
        out = out[:, inputs["input_ids"].shape[1] :]  # a decoder repeats what it was given
    else:
        out = out[:, 1:]  # the token that starts the decoder
    return out.tolist(), first.shares
