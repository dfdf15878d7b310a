"""Many question-answer turns behind one image: the packed sequences that Qwen2-VL is trained on.

All turns of a scene share the tokens of its image: a 4-D mask lets a turn see the image and itself
only, and each turn's positions continue those of the image. So a packed turn is computed exactly as
if it stood alone, at a fraction of the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vlmis_utils.protocol.prompts import presence_class
from vlmis_utils.training.nets.scenes import SCENE_TARGETS
from vlmis_utils.training.recipes.captions import Facts, turns

__all__ = ["Packed", "Prefix", "pack", "prefix_of", "turn_tokens"]

# Loss weights of an answer's tokens: the deciding first one of a yes or no, and all others.
DECISION, SAFETY_DECISION, OTHER = 1.0, 3.0, 0.3


@dataclass(frozen=True)
class Prefix:
    """What stands before every question: the turn's opening and the image.

    Attributes:
        ids: token ids, the image's placeholders included.
        image: where they begin and end.
        positions: int64 (3, len(ids)), multimodal rotary positions.
        following: position of the first token of a question.
    """

    ids: tuple[int, ...]
    image: tuple[int, int]
    positions: Tensor
    following: int


@dataclass(frozen=True, eq=False)
class Packed:
    """Sequences of B images, padded on the right.

    Attributes:
        ids: int64 (B, L).
        positions: int64 (3, B, L).
        mask: bool (B, 1, L, L), True where a token sees another.
        labels: int64 (B, L), the next token, -100 where no loss is taken.
        weights: float32 (B, L), of the loss at each position.
        starts: for each image, prompt name -> position whose prediction begins the answer.
    """

    ids: Tensor
    positions: Tensor
    mask: Tensor
    labels: Tensor
    weights: Tensor
    starts: list[dict[str, int]]

    def to(self, device: str) -> Packed:
        """Return it with its tensors on a device."""
        parts = (self.ids, self.positions, self.mask, self.labels, self.weights)
        return Packed(*(part.to(device) for part in parts), self.starts)


def prefix_of(tokenizer: Any, rows: int, columns: int) -> Prefix:
    """Return the prefix of an image of ``rows`` x ``columns`` merged tokens (Wang et al. 2024).

    Text counts up in all three position axes; an image keeps one temporal position and counts rows
    and columns from it; text goes on after the greatest.
    """
    opening = tokenizer("<|im_start|>user\n<|vision_start|>").input_ids
    pad = tokenizer.convert_tokens_to_ids("<|image_pad|>")
    closing = tokenizer("<|vision_end|>").input_ids
    first, count = len(opening), rows * columns
    grid = torch.stack(torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"))
    image = torch.cat([torch.zeros(1, count, dtype=torch.long), grid.reshape(2, count)]) + first
    after = first + max(rows, columns)
    closed = torch.arange(after, after + len(closing)).expand(3, -1)
    return Prefix(
        ids=(*opening, *[pad] * count, *closing),
        image=(first, first + count),
        positions=torch.cat([torch.arange(first).expand(3, -1), image, closed], 1),
        following=after + len(closing),
    )


@lru_cache(maxsize=4096)
def _tokens(tokenizer: Any, text: str) -> tuple[int, ...]:
    return tuple(tokenizer(text).input_ids)


def turn_tokens(tokenizer: Any, question: str, answer: str) -> tuple[list[int], list[int]]:
    """Return the tokens of a question with the opening of its answer, and of the answer."""
    asked = _tokens(tokenizer, f"{question}<|im_end|>\n<|im_start|>assistant\n")
    return list(asked), list(_tokens(tokenizer, f"{answer}<|im_end|>"))


def pack(
    tokenizer: Any,
    prefix: Prefix,
    scenes: Sequence[Facts],
    rng: np.random.Generator,
    balance: np.ndarray | None = None,
    answers: bool = True,
) -> Packed:
    """Pack all turns of each scene behind its image.

    Args:
        tokenizer: of `tokenizer.chat_tokenizer`.
        prefix: of `prefix_of`.
        scenes: the truth of B scenes.
        rng: for the wording of answers.
        balance: weights (13, 2) of absent and present by `SCENE_TARGETS`, on deciding tokens.
        answers: False leaves the answers out, for evaluation.
    """
    built = [_sequence(tokenizer, prefix, scene, rng, balance, answers) for scene in scenes]
    length = max(len(ids) for ids, *_ in built)
    count = len(built)
    ids = torch.full((count, length), int(tokenizer.pad_token_id))
    positions = torch.zeros(3, count, length, dtype=torch.long)
    branch = torch.full((count, length), -1)
    labels = torch.full((count, length), -100)
    weights = torch.zeros(count, length)
    for row, (tokens, place, turn, label, weight, _) in enumerate(built):
        size = len(tokens)
        ids[row, :size] = torch.tensor(tokens)
        after = torch.tensor(place).expand(3, -1)
        positions[:, row, :size] = torch.cat([prefix.positions, after], 1)
        branch[row, :size] = torch.tensor(turn)
        labels[row, :size] = torch.tensor(label)
        weights[row, :size] = torch.tensor(weight)
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    shared = (branch[:, None, :] == 0) | (branch[:, None, :] == branch[:, :, None])
    mask = (shared & causal)[:, None]
    return Packed(ids, positions, mask, labels, weights, [starts for *_, starts in built])


def _sequence(
    tokenizer: Any,
    prefix: Prefix,
    scene: Facts,
    rng: np.random.Generator,
    balance: np.ndarray | None,
    answers: bool,
) -> tuple[list[int], list[int], list[int], list[int], list[float], dict[str, int]]:
    """Return ids, positions after the prefix, turn numbers (0: prefix), labels, weights, starts."""
    ids, place = list(prefix.ids), []
    turn, labels, weights = [0] * len(ids), [-100] * len(ids), [0.0] * len(ids)
    starts: dict[str, int] = {}
    for number, (name, question, answer) in enumerate(turns(scene, rng), start=1):
        asked, said = turn_tokens(tokenizer, question, answer)
        said = said if answers else []
        starts[name] = len(ids) + len(asked) - 1
        ids += [*asked, *said]
        size = len(asked) + len(said)
        place += range(prefix.following, prefix.following + size)
        turn += [number] * size
        # The label of a position is the token after it; an answer's last token predicts nothing.
        labels += [-100] * (len(asked) - 1) + ([*said, -100] if said else [-100])
        decision = _decision_weight(name, answer, balance)
        rest = [OTHER] * max(len(said) - 1, 0)
        weights += [0.0] * (len(asked) - 1) + ([decision, *rest, 0.0] if said else [0.0])
    return ids, place, turn, labels, weights, starts


def _decision_weight(name: str, answer: str, balance: np.ndarray | None) -> float:
    """Return the weight of an answer's first token, evened out between yes and no."""
    if name == "describe":
        return OTHER
    target, positive = presence_class(name), answer.startswith("Yes")
    weight = DECISION
    if target is None:
        target, positive, weight = "unsafe", not positive, SAFETY_DECISION
    if balance is None:
        return weight
    return weight * float(balance[SCENE_TARGETS.index(target), int(positive)])
