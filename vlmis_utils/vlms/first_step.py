"""How a text begins: the probabilities of its first token, a reading that needs no parser."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

__all__ = ["FirstStep", "spellings"]


def spellings(tokenizer: Any, word: str) -> list[int]:
    """Return the ids of all tokens that spell a word, whatever their case and white space.

    Args:
        tokenizer: of transformers.
        word: in lower case, such as "yes".
    """
    ids = range(len(tokenizer))
    return [i for i in ids if tokenizer.decode([i]).strip().lower() == word]


class FirstStep(LogitsProcessor):
    """Keeps the scores of the first decoding step, those that the greedy choice is made from.

    Give it to ``generate`` as a logits processor: it changes nothing.
    """

    def __init__(self) -> None:
        self._shares: Tensor | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Keep the scores (B, V) if these are the first, and return them as they are."""
        if self._shares is None:
            self._shares = torch.softmax(scores.float(), dim=-1)
        return scores

    def probability(self, ids: list[int]) -> list[float | None]:
        """Return, for each row, the probability in [0, 1] that its first token is one of ``ids``.

        None for a vocabulary that has no such token.
        """
        shares = self._shares[:, ids].sum(dim=-1).tolist()
        return shares if ids else [None] * len(shares)
