"""What a run's scenes are, and how far their safety label depends on its rule, in sentences."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from vlmis_utils.core.formatting import listing, number, percent
from vlmis_utils.protocol import image_corridor
from vlmis_utils.protocol.classes import LANGUAGE_CLASSES
from vlmis_utils.protocol.datasets import DATASET_NAMES

__all__ = ["annotation_words", "dataset_words", "rule_agreement", "rule_sensitivity"]


def dataset_words(scenes: pd.DataFrame) -> str:
    """Return what the scenes of a run are: how many, from where, of which size.

    Args:
        scenes: table ``scenes`` of the records.

    >>> row = {"dataset": "camvid", "split": "val", "height": 360, "width": 480}
    >>> dataset_words(pd.DataFrame([row, row]))
    '2 scenes of CamVid (split val), 480×360 pixels'
    """
    first = scenes.iloc[0]
    name = DATASET_NAMES.get(first.dataset, first.dataset)
    sizes = scenes.drop_duplicates(["height", "width"])
    size = f"{first.width}×{first.height} pixels"
    size = size if len(sizes) == 1 else f"of {len(sizes)} sizes, the first {size}"
    return f"{_scenes(len(scenes))} of {name} (split {first.split}), {size}"


def annotation_words(annotated: Iterable[str]) -> str:
    """Return which of the 19 classes the labels can show, and what that means for the numbers.

    >>> annotation_words(LANGUAGE_CLASSES)
    'Their labels know all 19 classes.'
    """
    known = set(annotated)
    lacking = [name for name in LANGUAGE_CLASSES if name not in known]
    if not lacking:
        return f"Their labels know all {len(LANGUAGE_CLASSES)} classes."
    return (
        f"Their labels do not know {listing(lacking)}: such a class is left out of every mean and "
        "of the vocabulary, and counts neither as missed nor as hallucinated."
    )


def rule_agreement(cover: pd.DataFrame, geometry: bool) -> str:
    """Return how the image rule, with its default constants, labels the scenes.

    Args:
        cover: from `report.figures.safety_label.load_cover`.
        geometry: whether the scenes' own label is geometric; then it is compared with the rule's.
    """
    usual = cover[cover.scale == 1.0]
    unsafe, total = usual.cover >= image_corridor.IMAGE_THRESHOLD, len(usual)
    if not geometry:
        return f"The rule calls {percent(unsafe.mean())} of {_scenes(total)} unsafe."
    missed = usual[~unsafe & ~usual.safe]
    lights = int((~missed.reason.str.contains(" corridor")).sum())
    alarms = int((unsafe & usual.safe).sum())
    same = int((unsafe == ~usual.safe).sum())
    why = (
        f", {lights} of them for a light or a STOP sign alone, which no label map tells"
        if lights
        else ""
    )
    return (
        f"The image rule calls {percent(unsafe.mean())} of {_scenes(total)} unsafe, geometry "
        f"{percent((~usual.safe).mean())}; they agree on {same}. Of the "
        f"{int((~usual.safe).sum())} that geometry calls unsafe the image rule passes "
        f"{len(missed)}{why}; of the {int(usual.safe.sum())} safe ones it stops {alarms}."
    )


def rule_sensitivity(rule: pd.DataFrame) -> str:
    """Return how many labels turn when one of the rule's two constants is halved or doubled.

    Args:
        rule: from `report.figures.safety_label.load_rule`, with these values among its own.
    """
    found = rule.set_index(["scale", rule.threshold.round(6)])

    def moved(scale: float, factor: float) -> float:
        return float(found.moved[scale, round(factor * image_corridor.IMAGE_THRESHOLD, 6)])

    narrow, broad = moved(0.5, 1), moved(2, 1)
    low, high = moved(1, 0.5), moved(1, 2)
    worst = max(narrow, broad, low, high)
    text = (
        f"Half the width turns {percent(narrow)} of the labels and twice the width "
        f"{percent(broad)}; half the threshold {percent(low)} and twice the threshold "
        f"{percent(high)}."
    )
    if not worst:
        return f"{text} None of these changes touches the label of these scenes."
    return (
        f"{text} Each label that turns turns one judgement, so an SMR measured against this rule "
        f"could differ by as much as {number(worst)} with one of the other constants."
    )


def _scenes(count: int) -> str:
    return f"{count} scene{'s' if count != 1 else ''}"
