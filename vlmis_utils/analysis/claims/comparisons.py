"""What each claim of the paper compares: from a source of numbers to cells.

Words such as "moderate" have no bound in the paper; ours stand here and are shown in the ledger.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from vlmis_utils.analysis.claims.decision import Cell, above, negative, within
from vlmis_utils.analysis.claims.quantities import Quantity, mean
from vlmis_utils.analysis.claims.sources import Source

__all__ = [
    "COHERENT",
    "HIGH",
    "LARGE_RISE",
    "MINIMAL",
    "MODERATE",
    "NEAR_ZERO",
    "SATURATED",
    "SMALL_DROP",
    "WEAK",
    "Cells",
    "abstention",
    "clip_rises",
    "coherent",
    "correlates",
    "dark_is_worst",
    "deeplab_first",
    "different",
    "disproportionate",
    "level",
    "moderate",
    "monotone",
    "near_zero",
    "qwen_below_others",
    "rises",
    "siglip_below_clip",
    "small_drop_large_rise",
    "smr_steps",
    "weakly",
]

MODERATE = 0.25  # a loss of mIoU is moderate up to this share of the clean value
WEAK, MINIMAL = 0.5, 0.3  # size of a correlation
HIGH, SATURATED, NEAR_ZERO, COHERENT = 0.5, 0.9, 0.05, 0.5  # of a rate, of an IoU
SMALL_DROP, LARGE_RISE = 0.05, 0.10  # of mIoU, of a rate
CRITICAL = ("person", "rider", "bicycle", "traffic sign", "traffic light")
STRUCTURE = ("road", "sidewalk", "building", "vegetation", "sky")

Cells = Callable[[Source], Iterator[Cell]]


def _degraded(source: Source, *kinds: str, severity: str = "") -> list[str]:
    """The degraded conditions, of some corruptions or of one severity."""
    names = [c for c in source.conditions if c != "clean" and c.endswith(severity)]
    return [c for c in names if not kinds or c.startswith(kinds)]


def _ladder(source: Source, kind: str) -> list[str]:
    return ["clean", *_degraded(source, kind)]


def _steps(source: Source) -> Iterator[tuple[str, str]]:
    for kind in ("LL", "MB", "OCC"):
        yield from itertools.pairwise(_ladder(source, kind))


def _rise(source: Source, vlm: str, condition: str, metric: str) -> Quantity:
    return source.rate(vlm, condition, metric).minus(source.rate(vlm, "clean", metric))


def _loss(source: Source, segmenter: str, condition: str) -> Quantity:
    """Lost share of the clean mIoU."""
    clean = source.quality(segmenter, "clean")
    return clean.minus(source.quality(segmenter, condition)).over(clean)


def moderate(severity: str) -> Cells:
    def cells(source: Source) -> Iterator[Cell]:
        for name in source.segmenters:
            for condition in _degraded(source, severity=severity):
                loss = _loss(source, name, condition)
                yield Cell(name, condition, MODERATE - loss.value, loss.error)

    return cells


def rises(metric: str, label: str = "", kinds: tuple[str, ...] = ()) -> Cells:
    def cells(source: Source) -> Iterator[Cell]:
        for vlm in _models(source, label):
            for condition in _degraded(source, *kinds):
                yield above(vlm, f"{metric} {condition}", _rise(source, vlm, condition, metric))

    return cells


def _models(source: Source, label: str) -> list[str]:
    """All VLMs, or the one that the paper calls ``label``, if it is there."""
    return [v for v in source.vlms if not label or v == source.named(label)]


def clip_rises(source: Source) -> Iterator[Cell]:
    for metric in ("hr", "cor", "smr"):
        yield from rises(metric, "CLIP")(source)


def level(metric: str, label: str, bound: float) -> Cells:
    def cells(source: Source) -> Iterator[Cell]:
        for vlm in _models(source, label):
            for condition in source.conditions:
                yield above(vlm, condition, source.rate(vlm, condition, metric), bound)

    return cells


def _group_iou(source: Source, segmenter: str, condition: str, group: tuple[str, ...]):
    known = [source.iou(segmenter, condition, name) for name in group]
    known = [quantity for quantity in known if quantity is not None]
    return mean(known) if known else None


def disproportionate(source: Source) -> Iterator[Cell]:
    for name in source.segmenters:
        clean = [_group_iou(source, name, "clean", g) for g in (CRITICAL, STRUCTURE)]
        if None in clean:
            continue
        for condition in _degraded(source):
            hurt = [_group_iou(source, name, condition, g) for g in (CRITICAL, STRUCTURE)]
            kept = [h.over(c) for h, c in zip(hurt, clean, strict=True)]
            yield above(name, condition, kept[1].minus(kept[0]))


def near_zero(source: Source) -> Iterator[Cell]:
    for name in source.segmenters:
        for condition in _degraded(source, "LL", "OCC", severity="3"):
            for train_class in CRITICAL:
                iou = source.iou(name, condition, train_class)
                if iou is not None:
                    words = f"{train_class} {condition}"
                    yield Cell(name, words, NEAR_ZERO - iou.value, iou.error)


def coherent(source: Source) -> Iterator[Cell]:
    for name in source.segmenters:
        for condition in _degraded(source, "LL", "OCC", severity="3"):
            for train_class in ("road", "building"):
                iou = source.iou(name, condition, train_class)
                if iou is not None:
                    yield above(name, f"{train_class} {condition}", iou, COHERENT)


def deeplab_first(source: Source) -> Iterator[Cell]:
    first = source.named("DeepLabV3+")
    for other in source.segmenters if first in source.segmenters else []:
        if other != first:
            ahead = source.quality(first, "clean").minus(source.quality(other, "clean"))
            yield above(first, f"ahead of {other}", ahead)


def dark_is_worst(source: Source) -> Iterator[Cell]:
    for name in source.segmenters:
        for kind in ("MB", "OCC"):
            if {"LL3", f"{kind}3"} <= set(source.conditions):
                more = source.quality(name, f"{kind}3").minus(source.quality(name, "LL3"))
                yield above(name, f"LL3 below {kind}3", more)


def monotone(source: Source) -> Iterator[Cell]:
    for name in source.segmenters:
        for before, after in _steps(source):
            fall = source.quality(name, before).minus(source.quality(name, after))
            yield above(name, f"{before} to {after}", fall)


def smr_steps(source: Source) -> Iterator[Cell]:
    for vlm in _models(source, "CLIP"):
        for before, after in _steps(source):
            step = source.rate(vlm, after, "smr").minus(source.rate(vlm, before, "smr"))
            yield above(vlm, f"{before} to {after}", step)


def siglip_below_clip(source: Source) -> Iterator[Cell]:
    clip, siglip = source.named("CLIP"), source.named("SigLIP")
    if {clip, siglip} <= set(source.vlms):
        for condition in source.conditions:
            less = source.rate(clip, condition, "hr").minus(source.rate(siglip, condition, "hr"))
            yield above(siglip, condition, less)


def qwen_below_others(source: Source) -> Iterator[Cell]:
    qwen = source.named("Qwen2-VL")
    for other in source.vlms if qwen in source.vlms else []:
        for metric in ("hr", "cor") if other != qwen else ():
            for condition in source.conditions:
                own = source.rate(qwen, condition, metric)
                less = source.rate(other, condition, metric).minus(own)
                yield above(qwen, f"{metric} {condition}, against {other}", less)


def abstention(source: Source) -> Iterator[Cell]:
    for vlm in _models(source, "Qwen2-VL"):
        for condition in source.conditions:
            rate = source.rate(vlm, condition, "smr")
            most = source.rate(vlm, condition, "abstained").minus(rate.times(0.5))
            yield above(vlm, condition, most)


def different(source: Source) -> Iterator[Cell]:
    """Whether two models' mean rises differ: in size, so the sign is taken off."""
    names = _degraded(source)
    for one, other in itertools.combinations(source.vlms, 2):
        for metric in ("hr", "cor", "smr"):
            mine, theirs = (
                mean([_rise(source, vlm, c, metric) for c in names]) for vlm in (one, other)
            )
            gap = mine.minus(theirs)
            yield Cell(f"{one} and {other}", metric, abs(gap.value), gap.error)


def _pairs(source: Source) -> Iterator[tuple[str, str, str]]:
    for segmenter, vlm in itertools.product(source.segmenters, source.vlms):
        yield segmenter, vlm, f"mIoU of {segmenter}"


def correlates(metric: str) -> Cells:
    """The correlation of mIoU with the metric is negative."""

    def cells(source: Source) -> Iterator[Cell]:
        for segmenter, vlm, words in _pairs(source):
            yield negative(vlm, words, source.correlation(segmenter, vlm, metric))

    return cells


def weakly(bound: float, *metrics: str) -> Cells:
    def cells(source: Source) -> Iterator[Cell]:
        for (segmenter, vlm, words), metric in itertools.product(_pairs(source), metrics):
            found = source.correlation(segmenter, vlm, metric)
            yield within(vlm, f"{metric}, {words}" if metrics[1:] else words, found, bound)

    return cells


def small_drop_large_rise(source: Source) -> Iterator[Cell]:
    """Both hold if the lesser margin, in standard errors, does."""
    for segmenter, vlm, words in _pairs(source):
        for condition, metric in itertools.product(_degraded(source), ("hr", "cor", "smr")):
            clean = source.quality(segmenter, "clean")
            drop = clean.minus(source.quality(segmenter, condition))
            rise = _rise(source, vlm, condition, metric)
            margins = [
                Cell(vlm, f"{metric} {condition}, {words}", SMALL_DROP - drop.value, drop.error),
                Cell(vlm, f"{metric} {condition}, {words}", rise.value - LARGE_RISE, rise.error),
            ]
            yield min(margins, key=lambda c: c.value / c.error if c.error else c.value * 1e9)
