"""Signals of pictures and segmenters, from the tables of a run."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics.segmentation import iou
from vlmis_utils.protocol.classes import TRAIN_CLASSES
from vlmis_utils.protocol.image_corridor import corridor_mask
from vlmis_utils.protocol.signals import COARSE, FLIPS, PICTURE_SIGNALS, SEGMENTER_SIGNALS

__all__ = ["disagreement", "of_pictures", "of_segmenters", "pair_counts", "tempered"]

KEYS = ["scene_id", "condition"]
_FALLING = ("sharpness", "brightness", "contrast", "variation")


def of_pictures(results: Results, index: pd.MultiIndex) -> pd.DataFrame:
    """Return `PICTURE_SIGNALS` of each picture (scene_id, condition), doubt upward."""
    found = results.conditions.set_index(KEYS)[[*PICTURE_SIGNALS]].reindex(index).astype(float)
    found[[*_FALLING]] *= -1
    return found


def of_segmenters(
    results: Results, segmenter: str, index: pd.MultiIndex, fold: np.ndarray, clean: np.ndarray
) -> pd.DataFrame:
    """Return what one segmenter, and all together, tell of each picture, doubt upward.

    Args:
        results: of the run.
        segmenter: which is watched.
        index: (scene_id, condition) of M pictures.
        fold: (M,), of each picture's scene.
        clean: bool (M,).
    """
    table = results.segmentation[results.segmentation.segmenter == segmenter]
    rows = table.set_index(KEYS).reindex(index)
    found = rows[[*SEGMENTER_SIGNALS, *FLIPS]].astype(float)
    found[[name for name in found if name.startswith("margin")]] *= -1
    if rows.tempered_loss.notna().all():
        found["tempered"] = tempered(
            *(np.stack(list(rows[c])) for c in ("tempered_entropy", "tempered_loss")), fold, clean
        )
    return found.join(disagreement(results.segmentation, index))


def tempered(
    entropies: np.ndarray, losses: np.ndarray, fold: np.ndarray, clean: np.ndarray
) -> np.ndarray:
    """Return entropies at the temperature with the least log loss on clean pictures of other folds.

    Args:
        entropies, losses: (M, T), of each picture at each temperature.
        fold: (M,).
        clean: bool (M,), the pictures by which the temperature is chosen.

    Returns:
        (M,).
    """
    found = np.full(len(entropies), np.nan)
    for one in np.unique(fold):
        others = clean & ((fold != one) | (fold.min() == fold.max()))
        best = int(np.nanmean(losses[others], axis=0).argmin())
        found[fold == one] = entropies[fold == one, best]
    return found


def disagreement(table: pd.DataFrame, index: pd.MultiIndex) -> pd.DataFrame:
    """Return 1 minus the mean mIoU of every two segmenters' label maps, picture and corridor.

    The mIoU is over the classes that either map has, on the coarse maps of the records.

    Args:
        table: ``segmentation`` of the records.
        index: (scene_id, condition) of M pictures.

    Returns:
        ``disagree_image`` and ``disagree_corridor``; no columns with a single segmenter, or where
        the records hold no maps.
    """
    empty = pd.DataFrame(index=index)
    maps = []
    for _, group in table.groupby("segmenter", sort=False):
        kept = group.set_index(KEYS).coarse.reindex(index)
        if kept.isna().any():
            return empty
        stack = np.frombuffer(b"".join(kept), dtype=np.uint8)
        maps.append(stack.reshape(len(index), *COARSE))
    if len(maps) < 2:
        return empty
    ahead = corridor_mask(*COARSE)
    shared = {"disagree_image": [], "disagree_corridor": []}
    for one, other in itertools.combinations(maps, 2):
        for name, mask in (("disagree_image", ahead | True), ("disagree_corridor", ahead)):
            counts = pair_counts(one[:, mask], other[:, mask])
            shared[name].append(np.nanmean(iou(counts), axis=-1))
    return pd.DataFrame({k: 1 - np.mean(v, axis=0) for k, v in shared.items()}, index=index)


def pair_counts(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the counts of pairs of train ids, uint8 (M, P) each, as (M, 19, 19)."""
    size = len(TRAIN_CLASSES)
    pairs = np.arange(len(one))[:, None] * size**2 + one.astype(np.int64) * size + other
    return np.bincount(pairs.ravel(), minlength=len(one) * size**2).reshape(-1, size, size)
