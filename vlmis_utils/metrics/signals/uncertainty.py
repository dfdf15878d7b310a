"""How sure a segmenter is of a picture, from its scores on a coarse grid.

Entropy is that of the softmax over the 19 classes by its greatest value, log 19: 0 where one class
takes all, 1 where all are equal. Margin is the gap of the two greatest probabilities. Both are
means over the cells of a region, beside a tail: the 95 % quantile of entropy, the 5 % quantile of
margin. Temperatures are those of Guo et al. (ICML 2017): scores are divided by T before the
softmax; which T fits is found later, on clean pictures, from the log loss that is kept for each.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from vlmis_utils.protocol.classes import CRITICAL_CLASSES, IGNORE, LANGUAGE_CLASSES
from vlmis_utils.protocol.image_corridor import corridor_mask
from vlmis_utils.protocol.signals import GRID, REGIONS, STATISTICS, TEMPERATURES

__all__ = ["at_temperatures", "coarse", "entropy", "uncertainty"]

_CRITICAL = [LANGUAGE_CLASSES.index(name) for name in CRITICAL_CLASSES]


def entropy(log_shares: Tensor) -> Tensor:
    """Return the entropy of log probabilities (B, C, ...) over C by log C, (B, ...) in [0, 1].

    >>> round(float(entropy(torch.log(torch.tensor([[0.5, 0.5]])))[0]), 6)
    1.0
    """
    bits = -(log_shares.exp() * log_shares).sum(dim=1)
    return (bits / math.log(log_shares.shape[1])).clamp(0, 1)


def uncertainty(log_shares: Tensor) -> list[dict[str, float | None]]:
    """Return ``<statistic>_<region>`` of `STATISTICS` and `REGIONS` for each picture.

    Args:
        log_shares: log probabilities of the 19 classes, float32 (B, 19, h, w).
    """
    spread = entropy(log_shares).flatten(1).cpu().numpy()
    best, chosen = log_shares.max(dim=1, keepdim=True)
    second = log_shares.scatter(1, chosen, -math.inf).amax(dim=1)
    gap = (best[:, 0].exp() - second.exp()).flatten(1).cpu().numpy()
    critical = np.isin(chosen.flatten(1).cpu().numpy(), _CRITICAL)
    ahead = corridor_mask(*log_shares.shape[2:]).ravel()
    found = []
    for index in range(len(spread)):
        inside = {"image": slice(None), "corridor": ahead, "critical": critical[index]}
        row: dict[str, float | None] = {}
        for region in REGIONS:
            values = _statistics(spread[index][inside[region]], gap[index][inside[region]])
            row |= {f"{name}_{region}": value for name, value in values.items()}
        found.append(row)
    return found


def at_temperatures(log_shares: Tensor, labels: np.ndarray) -> list[dict[str, list[float]]]:
    """Return the mean entropy and the log loss of each picture at each of `TEMPERATURES`.

    Every second row and column of the grid is taken. The log loss is a mean over labelled cells; it
    needs the truth, and is kept for the choice of a temperature on clean pictures only.

    Args:
        log_shares: as of `uncertainty`.
        labels: train ids, uint8 (B, h, w), see `coarse`.

    Returns:
        for each picture: ``tempered_entropy`` and ``tempered_loss``, a number a temperature; the
        loss is NaN where no cell is labelled.
    """
    scores = log_shares[:, :, ::2, ::2].contiguous()
    scores = scores - scores.amax(dim=1, keepdim=True)
    truth = torch.from_numpy(labels[:, ::2, ::2].astype(np.int64)).to(scores.device)
    known = truth != IGNORE
    own = scores.gather(1, truth.where(known, 0)[:, None])[:, 0]
    spread, loss = [], []
    for temperature in TEMPERATURES:  # one exponential a score, which is nearly all of the time
        shares = (scores / temperature).exp()
        total = shares.sum(dim=1)
        bits = total.log() - (shares * scores).sum(dim=1) / (temperature * total)
        spread.append((bits / math.log(scores.shape[1])).clamp(0, 1).flatten(1).mean(dim=1))
        lost = (total.log() - own / temperature) * known
        loss.append(lost.flatten(1).sum(dim=1) / known.flatten(1).sum(dim=1))
    pairs = zip(torch.stack(spread, 1).tolist(), torch.stack(loss, 1).tolist(), strict=True)
    return [{"tempered_entropy": own, "tempered_loss": lost} for own, lost in pairs]


def coarse(labels: np.ndarray, size: tuple[int, int] = GRID) -> np.ndarray:
    """Return the label at the centre of each cell of a grid: (..., H, W) to (..., *size).

    >>> coarse(np.arange(16).reshape(4, 4), (2, 2)).tolist()
    [[5, 7], [13, 15]]
    """
    height, width = labels.shape[-2:]
    rows = ((np.arange(size[0]) + 0.5) * height / size[0]).astype(int)
    columns = ((np.arange(size[1]) + 0.5) * width / size[1]).astype(int)
    return labels[..., rows[:, None], columns]


def _statistics(spread: np.ndarray, gap: np.ndarray) -> dict[str, float | None]:
    if not spread.size:
        return dict.fromkeys(STATISTICS)
    values = spread.mean(), np.quantile(spread, 0.95), gap.mean(), np.quantile(gap, 0.05)
    return dict(zip(STATISTICS, map(float, values), strict=True))
