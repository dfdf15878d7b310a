"""What a run records of pictures and segmenters that needs no truth, as columns of its tables.

`protocol.signals` names the columns. The log loss at each temperature is the one exception: a
temperature is chosen by it, on clean pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from vlmis_utils.metrics.signals.flips import flips, mirrored
from vlmis_utils.metrics.signals.picture import picture_signals
from vlmis_utils.metrics.signals.uncertainty import at_temperatures, coarse, uncertainty
from vlmis_utils.models.segmentation.segmenter import WithScores
from vlmis_utils.protocol.classes import pixel_counts
from vlmis_utils.protocol.image_corridor import corridor_mask
from vlmis_utils.protocol.signals import COARSE, GRID

__all__ = ["of_pictures", "of_segmenter", "segmented", "with_flips"]

Columns = list[dict[str, object]]


def of_pictures(images: Tensor) -> Columns:
    """Return the columns of `protocol.signals.PICTURE_SIGNALS` for uint8 (B, 3, H, W)."""
    found = picture_signals(images)
    return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]


def segmented(segmenter: object, images: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return train ids uint8 (B, H, W), and log probabilities (B, 19, *GRID) where there are any.

    Args:
        segmenter: with ``predict``; one that is `WithScores` gives both in one pass.
        images: uint8 (B, 3, H, W).
    """
    if isinstance(segmenter, WithScores):
        return segmenter.predict_with_scores(images, GRID)
    return segmenter.predict(images), None


def of_segmenter(
    predicted: np.ndarray, shares: Tensor | None, labels: Sequence[np.ndarray]
) -> Columns:
    """Return counts and a coarse map of what was predicted, and how sure the segmenter was.

    Args:
        predicted: train ids, uint8 (B, H, W).
        shares: log probabilities (B, 19, *GRID); None of a model that gives labels only.
        labels: B label maps, uint8 (H, W).
    """
    ahead = corridor_mask(*predicted.shape[1:])
    found: Columns = [
        {
            "predicted": pixel_counts(one),
            "corridor_predicted": pixel_counts(one[ahead]),
            "coarse": coarse(one, COARSE).tobytes(),
        }
        for one in predicted
    ]
    if shares is None:
        return found
    truth = coarse(np.stack(labels), GRID)
    sure = zip(found, uncertainty(shares), at_temperatures(shares, truth), strict=True)
    return [row | own | tempered for row, own, tempered in sure]


def with_flips(found: Columns, predicted: np.ndarray, segmenter: object, images: Tensor) -> Columns:
    """Add `protocol.signals.FLIPS`: what changes where the segmenter sees the images mirrored."""
    turned = np.asarray(segmenter.predict(mirrored(images)).cpu())
    return [row | own for row, own in zip(found, flips(predicted, turned), strict=True)]
