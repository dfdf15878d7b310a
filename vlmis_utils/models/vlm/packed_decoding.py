"""Greedy answers to several questions about an image, side by side in one sequence.

Behind the keys and values of what all chats begin with (`models.vlm.prefix_cache`) come those of
every question, and then one token of every answer after the other. A mask lets each question and
its answer see the beginning and themselves, and positions count as if they stood alone. So nothing
is padded, the keys and values of the image are there once for all prompts, and an answer that has
ended costs nothing more: decoding takes as many steps as the longest answer has tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vlmis_utils.models.vlm.prefix_cache import Layout, Read

__all__ = ["Decoded", "Rules", "decode"]


@dataclass(frozen=True)
class Rules:
    """When an answer ends.

    Attributes:
        ends: the model's end-of-turn tokens; the one met is the answer's last.
        limits: most tokens of the answer to each question.
        decisive: for each question the tokens that, coming first, are the whole answer.
        steady: keep every answer until its limit or until all have ended, so that what is computed
            together does not depend on what is answered.
    """

    ends: Collection[int]
    limits: Sequence[int]
    decisive: Sequence[Collection[int]]
    steady: bool = False


@dataclass(frozen=True, eq=False)
class Decoded:
    """Answers, images outside and questions inside.

    Attributes:
        tokens: of each answer.
        first: probabilities of its first token, float32 (images, questions, vocabulary).
    """

    tokens: list[list[list[int]]]
    first: Tensor


def decode(model: Any, seen: Read, layout: Layout, rules: Rules) -> Decoded:
    """Answer every question of a layout about every image that was read.

    Args:
        model: that has read the images; the cache in ``seen`` is used up.
        seen, layout: of `models.vlm.prefix_cache`.
        rules: when answers end.
    """
    sequence = _Sequence(model, seen)
    count, questions = len(seen.cache.layers[0].keys), range(len(layout.tails))
    owners = [q for q in questions for _ in layout.tails[q]]
    places = [seen.length + i for tail in layout.tails for i in range(len(tail))]
    ids = torch.tensor([token for tail in layout.tails for token in tail]).expand(count, -1)
    lengths = torch.tensor([len(tail) for tail in layout.tails])
    scores = sequence.extend(ids, owners, places, keep=lengths.cumsum(0) - 1)
    first = torch.softmax(scores, dim=-1)

    tokens: list[list[list[int]]] = [[[] for _ in questions] for _ in range(count)]
    opened = [[True for _ in questions] for _ in range(count)]
    active = list(questions)
    for step in range(max(rules.limits)):
        chosen = scores.argmax(dim=-1).cpu()
        for image, row in enumerate(chosen.tolist()):
            for question, token in zip(active, row, strict=True):
                if not opened[image][question]:
                    continue
                tokens[image][question].append(token)
                opened[image][question] = not (
                    token in rules.ends
                    or step + 1 == rules.limits[question]
                    or (step == 0 and token in rules.decisive[question])
                )
        going = {q for row in opened for q in questions if row[q]}
        if not going:
            break
        stay = [
            i
            for i, q in enumerate(active)
            if q in going or (rules.steady and step + 1 < rules.limits[q])
        ]
        active = [active[i] for i in stay]
        places = [seen.length + len(layout.tails[q]) + step for q in active]
        scores = sequence.extend(chosen[:, stay], active, places)
    return Decoded(tokens, first)


class _Sequence:
    """What a model has read so far, and whose each token is."""

    def __init__(self, model: Any, seen: Read) -> None:
        self._model, self._seen = model, seen
        self._owners = torch.empty(0, dtype=torch.long)

    def extend(
        self, ids: Tensor, owners: list[int], places: list[int], keep: Tensor | int = 0
    ) -> Tensor:
        """Read more tokens and return the scores of what follows them, float32.

        Args:
            ids: (images, n).
            owners, places: of the n tokens: the question that each belongs to, and its position.
            keep: after which of the n tokens scores are wanted; 0 for all.
        """
        model, device = self._model, self._model.device
        own = torch.tensor(owners)
        self._owners = torch.cat([self._owners, own])
        mine = (own[:, None] == self._owners).tril(len(self._owners) - len(own))
        allowed = torch.cat([mine.new_ones(len(own), self._seen.length), mine], dim=1)
        mask = torch.zeros(allowed.shape, dtype=model.dtype)
        mask = mask.masked_fill(~allowed, torch.finfo(model.dtype).min).to(device)
        positions = torch.tensor(places, device=device).expand(len(ids), -1)
        if self._seen.deltas is not None:  # one position for each axis of the multimodal embedding
            positions = (positions + self._seen.deltas).expand(3, -1, -1)
        out = model(
            input_ids=ids.to(device),
            attention_mask=mask.expand(len(ids), 1, -1, -1),
            position_ids=positions,
            past_key_values=self._seen.cache,
            use_cache=True,
            logits_to_keep=keep if isinstance(keep, int) else keep.to(device),
        )
        return out.logits.float()
