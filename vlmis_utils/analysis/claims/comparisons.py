"""What each claim of the paper compares: from a source of numbers, and bounds, to cells."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from vlmis_utils.analysis.claims.decision import Cell, above, below, negative, within
from vlmis_utils.analysis.claims.quantities import Quantity, mean
from vlmis_utils.analysis.claims.sources import Source, over_conditions
from vlmis_utils.analysis.paper.bounds import CRITICAL, QUOTED, STRUCTURE

__all__ = [
    "Compare", "abstention", "coherent", "correlates", "different", "disproportionate",
    "first_segmenter", "gradual", "larger_gap", "level", "low_light_worst", "lower_rate",
    "moderate", "monotone", "near_zero", "quoted", "rises", "small_drop_large_rise", "smr_steps",
    "weakly",
]  # fmt: skip

METRICS = ("hr", "cor", "smr")

Cells = Iterator[Cell]
Compare = Callable[..., Cells]  # (source, *bounds) -> cells


def _degraded(source: Source, *kinds: str, severity: str = "") -> list[str]:
    """The degraded conditions, of some corruptions or of one severity."""
    names = [c for c in source.conditions if c != "clean" and c.endswith(severity)]
    return [c for c in names if not kinds or c.startswith(kinds)]


def _steps(source: Source, *kinds: str) -> Iterator[tuple[str, str]]:
    """Pairs of neighbouring severities of each corruption, clean the lowest."""
    if "clean" in source.conditions:
        for kind in kinds or ("LL", "MB", "OCC"):
            yield from itertools.pairwise(["clean", *_degraded(source, kind)])


def _rise(source: Source, vlm: str, condition: str, metric: str) -> Quantity:
    return source.rate(vlm, condition, metric) - source.rate(vlm, "clean", metric)


def _models(source: Source, label: str) -> list[str]:
    """All VLMs, or the one that the paper calls ``label``, if it is there."""
    return [v for v in source.vlms if not label or v == source.named(label)]


def quoted(source: Source) -> Cells:
    """A quoted mIoU is the printed one, to its two decimals."""
    for label, condition, value in QUOTED:
        name = source.named(label)
        if name in source.segmenters and condition in source.conditions:
            gap = source.quality(name, condition).value - value
            yield Cell(name, condition, 0.005 - abs(gap))


def moderate(severity: str) -> Compare:
    """The lost share of the clean mIoU is below the bound."""

    def cells(source: Source, bound: float) -> Cells:
        for name in source.segmenters:
            for condition in _degraded(source, severity=severity):
                clean = source.quality(name, "clean")
                lost = (clean - source.quality(name, condition)) / clean
                yield below(name, condition, lost, bound)

    return cells


def rises(*metrics: str, label: str = "", kinds: tuple[str, ...] = ()) -> Compare:
    """A metric is above its clean value."""

    def cells(source: Source) -> Cells:
        for metric, vlm in itertools.product(metrics, _models(source, label)):
            for condition in _degraded(source, *kinds):
                yield above(vlm, f"{metric} {condition}", _rise(source, vlm, condition, metric))

    return cells


def level(metric: str, label: str) -> Compare:
    """A metric is above the bound under every condition."""

    def cells(source: Source, bound: float) -> Cells:
        for vlm, condition in itertools.product(_models(source, label), source.conditions):
            yield above(vlm, condition, source.rate(vlm, condition, metric), bound)

    return cells


def disproportionate(source: Source) -> Cells:
    """The critical classes keep a smaller share of their clean IoU than the structural ones."""

    def group(name: str, condition: str, classes: tuple[str, ...]) -> Quantity | None:
        known = [source.iou(name, condition, c) for c in classes]
        known = [quantity for quantity in known if quantity is not None]
        return mean(known) if known else None

    for name, condition in itertools.product(source.segmenters, _degraded(source)):
        clean = [group(name, "clean", g) for g in (CRITICAL, STRUCTURE)]
        hurt = [group(name, condition, g) for g in (CRITICAL, STRUCTURE)]
        if None not in (*clean, *hurt):
            critical, structure = (h / c for h, c in zip(hurt, clean, strict=True))
            yield above(name, condition, structure - critical)


def _class_ious(source: Source, classes: tuple[str, ...]) -> Iterator[tuple[str, str, Quantity]]:
    for name in source.segmenters:
        conditions = _degraded(source, "LL", "OCC", severity="3")
        for condition, train_class in itertools.product(conditions, classes):
            iou = source.iou(name, condition, train_class)
            if iou is not None:
                yield name, f"{train_class} {condition}", iou


def near_zero(source: Source, bound: float) -> Cells:
    """A critical class has an IoU below the bound."""
    return (below(*cell, bound) for cell in _class_ious(source, CRITICAL))


def coherent(source: Source, bound: float) -> Cells:
    """Road and building have an IoU above the bound."""
    return (above(*cell, bound) for cell in _class_ious(source, ("road", "building")))


def first_segmenter(source: Source) -> Cells:
    """DeepLabV3+ has the highest mIoU on clean images."""
    first = source.named("DeepLabV3+")
    for other in source.segmenters if first in source.segmenters else []:
        if other != first:
            ahead = source.quality(first, "clean") - source.quality(other, "clean")
            yield above(first, f"ahead of {other}", ahead)


def low_light_worst(source: Source) -> Cells:
    """At severity 3 mIoU is lowest under low light."""
    for name, kind in itertools.product(source.segmenters, ("MB", "OCC")):
        if {"LL3", f"{kind}3"} <= set(source.conditions):
            more = source.quality(name, f"{kind}3") - source.quality(name, "LL3")
            yield above(name, f"LL3 below {kind}3", more)


def monotone(source: Source) -> Cells:
    """mIoU falls from each severity to the next."""
    for name, (before, after) in itertools.product(source.segmenters, _steps(source)):
        fall = source.quality(name, before) - source.quality(name, after)
        yield above(name, f"{before} to {after}", fall)


def gradual(source: Source) -> Cells:
    """The steepest step of motion blur, and of occlusion, is less steep than that of low light."""
    for name in source.segmenters:
        falls = {
            k: [source.quality(name, a) - source.quality(name, b) for a, b in _steps(source, k)]
            for k in ("LL", "MB", "OCC")
        }  # fmt: skip
        steepest = {k: max(v, key=lambda fall: fall.value) for k, v in falls.items() if v}
        for kind in steepest if "LL" in steepest else ():
            if kind != "LL":
                yield above(name, f"{kind} against LL", steepest["LL"] - steepest[kind])


def smr_steps(source: Source) -> Cells:
    """SMR of CLIP rises from one severity to the next."""
    for vlm, (before, after) in itertools.product(_models(source, "CLIP"), _steps(source)):
        step = source.rate(vlm, after, "smr") - source.rate(vlm, before, "smr")
        yield above(vlm, f"{before} to {after}", step)


def lower_rate(label: str, *metrics: str, others: tuple[str, ...] = ()) -> Compare:
    """A metric of one VLM is below that of others, of all the rest if none are named."""

    def cells(source: Source) -> Cells:
        own = source.named(label)
        rivals = [source.named(name) for name in others] or source.vlms
        for other in rivals if own in source.vlms else []:
            for metric in metrics if other in source.vlms and other != own else ():
                for condition in source.conditions:
                    less = source.rate(other, condition, metric) - source.rate(
                        own, condition, metric
                    )
                    yield above(own, f"{metric} {condition}, against {other}", less)

    return cells


def larger_gap(source: Source) -> Cells:
    """SigLIP's HR is further below CLIP's under occlusion than under low light, or motion blur."""
    pair = [source.named(name) for name in ("CLIP", "SigLIP")]
    gaps = {}
    for kind in ("OCC", "LL", "MB") if set(pair) <= set(source.vlms) else ():
        rates = [[source.rate(v, c, "hr") for v in pair] for c in _degraded(source, kind)]
        if rates:
            gaps[kind] = mean([clip - siglip for clip, siglip in rates])
    for kind in gaps if "OCC" in gaps else ():
        if kind != "OCC":
            yield above(pair[1], f"OCC against {kind}", gaps["OCC"] - gaps[kind])


def abstention(source: Source) -> Cells:
    """Abstention is more than half of Qwen2-VL's SMR."""
    for vlm, condition in itertools.product(_models(source, "Qwen2-VL"), source.conditions):
        half = source.rate(vlm, condition, "smr") * 0.5
        yield above(vlm, condition, source.rate(vlm, condition, "abstained") - half)


def different(source: Source) -> Cells:
    """Two models' mean rises differ: in size, so the sign is taken off."""
    names = _degraded(source)
    for one, other in itertools.combinations(source.vlms, 2) if names else ():
        for metric in METRICS:
            gap = mean([_rise(source, one, c, metric) for c in names])
            gap = gap - mean([_rise(source, other, c, metric) for c in names])
            yield Cell(f"{one} and {other}", metric, abs(gap.value), gap.error)


def _pairs(source: Source) -> list[tuple[str, str, str]]:
    return [(s, v, f"mIoU of {s}") for s in source.segmenters for v in source.vlms]


def correlates(metric: str) -> Compare:
    """The correlation of mIoU with the metric over conditions is negative."""

    def cells(source: Source) -> Cells:
        for segmenter, vlm, words in _pairs(source):
            yield negative(vlm, words, over_conditions(source, segmenter, vlm, metric))

    return cells


def weakly(*metrics: str) -> Compare:
    """The correlation of mIoU with a metric over conditions is within ± the bound."""

    def cells(source: Source, bound: float) -> Cells:
        for (segmenter, vlm, words), metric in itertools.product(_pairs(source), metrics):
            found = over_conditions(source, segmenter, vlm, metric)
            yield within(vlm, f"{metric}, {words}" if metrics[1:] else words, found, bound)

    return cells


def small_drop_large_rise(source: Source, small: float, large: float) -> Cells:
    """Both hold if the lesser margin, in standard errors, does."""
    for segmenter, vlm, words in _pairs(source):
        for condition, metric in itertools.product(_degraded(source), METRICS):
            drop = source.quality(segmenter, "clean") - source.quality(segmenter, condition)
            rise = _rise(source, vlm, condition, metric)
            what = f"{metric} {condition}, {words}"
            margins = [below(vlm, what, drop, small), above(vlm, what, rise, large)]
            yield min(margins, key=lambda c: c.value / c.error if c.error else c.value * 1e9)
