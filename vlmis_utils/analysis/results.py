"""Tidy result frames, computed from the records of a run; no model runs here.

Every frame says in its docstring what its numbers are averaged over. Intervals are at 95 % and over
scenes: bootstraps, with equal draws for every model and condition, and for mIoU the jackknife.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property, wraps

import numpy as np
import pandas as pd

from vlmis_utils.core.storage import Place, place
from vlmis_utils.metrics import baselines, per_image, segmentation
from vlmis_utils.metrics.miou_intervals import jackknife_miou
from vlmis_utils.metrics.per_image import Reading
from vlmis_utils.protocol import classes
from vlmis_utils.protocol.classes import LANGUAGE_NAMES, TRAIN_CLASSES
from vlmis_utils.protocol.datasets import annotated_classes
from vlmis_utils.records.store import BLANK, read_table

__all__ = ["BLANK", "Results"]

_SIZE = len(TRAIN_CLASSES)


def _frame(compute: Callable[[Results], pd.DataFrame]) -> Callable[[Results], pd.DataFrame]:
    """Return a method that computes a frame once and hands out copies."""

    @wraps(compute)
    def once(self: Results) -> pd.DataFrame:
        if compute.__name__ not in self._frames:
            self._frames[compute.__name__] = compute(self)
        return self._frames[compute.__name__].copy()

    return once


class Results:
    """The results of one run, read one way.

    Args:
        records: the folder ``build/<study>/records``, or its URL.
        top_k, parser, count_hedged, critical_classes, min_share, epsilon: see
            `protocol.study.Study`; changing one never runs a model.
        bootstrap: resamples of the scenes for every interval.

    Raises:
        RunError: the records are missing or damaged.
    """

    def __init__(
        self,
        records: str | Place,
        *,
        top_k: int = 4,
        parser: str = "scoped",
        count_hedged: bool = False,
        critical_classes: Iterable[str] = classes.CRITICAL_CLASSES,
        min_share: float = classes.MIN_SHARE,
        epsilon: float = 1e-6,
        bootstrap: int = 2000,
    ) -> None:
        self.records = place(records)
        self.bootstrap = bootstrap
        self._frames: dict[str, pd.DataFrame] = {}
        self._reading = Reading(
            top_k, parser, count_hedged, tuple(critical_classes), min_share, epsilon
        )

    @cached_property
    def scenes(self) -> pd.DataFrame:
        """Table ``scenes`` of the records, one row a scene."""
        return read_table(self.records, "scenes")

    @cached_property
    def conditions(self) -> pd.DataFrame:
        """Table ``conditions`` of the records, one row for each scene and condition."""
        return read_table(self.records, "conditions")

    @cached_property
    def segmentation(self) -> pd.DataFrame:
        """Table ``segmentation``, with ``confusion`` as int64 (19, 19) arrays."""
        frame = read_table(self.records, "segmentation")
        frame["confusion"] = [np.reshape(c, (_SIZE, _SIZE)) for c in frame.confusion]
        return frame

    @cached_property
    def answers(self) -> pd.DataFrame:
        """Table ``answers`` of the records, one row for each model, scene, condition, prompt."""
        return read_table(self.records, "answers")

    @cached_property
    def run(self) -> dict:
        """``run.json``: parameters, versions, machine, model digests and times of the run."""
        path = self.records / "run.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    @cached_property
    def annotated(self) -> frozenset[str]:
        """Language classes that the labels can show: from ``run.json``, else by dataset."""
        noted = self.run.get("annotated_classes")
        if noted is not None:
            return frozenset(noted)
        return frozenset.intersection(*map(annotated_classes, self.scenes.dataset.unique()))

    @cached_property
    def reading(self) -> Reading:
        """How answers are read; its vocabulary is what the dataset annotates."""
        vocabulary = tuple(c for c in classes.OBJECT_CLASSES if c in self.annotated)
        return replace(self._reading, vocabulary=vocabulary)

    @cached_property
    def truth(self) -> pd.DataFrame:
        """What is true of each scene and condition; see `metrics.per_image.scene_truth`."""
        return per_image.scene_truth(self.scenes, self.conditions, self.reading)

    @_frame
    def segmentation_per_image(self) -> pd.DataFrame:
        """Return segmenter, condition, scene_id, miou, pixel_accuracy for each image.

        ``miou`` is over the classes in the image's truth.
        """
        frame = self.segmentation[["segmenter", "condition", "scene_id"]].copy()
        stack = np.stack(list(self.segmentation.confusion))
        return frame.assign(
            miou=segmentation.miou(stack), pixel_accuracy=segmentation.pixel_accuracy(stack)
        )

    @_frame
    def segmentation_by_condition(self) -> pd.DataFrame:
        """Return one row for each segmenter and condition.

        Columns: n (images); miou of the summed confusion counts, over the classes in the truth,
        with miou_low, miou_high; miou_image_mean, the mean of per-image mIoU; pixel_accuracy of
        the summed counts; iou_<train class>, NaN where neither truth nor prediction has any, or
        the dataset does not annotate the class;
        delta_miou and delta_pixel_accuracy, clean minus degraded (the paper's ΔQ).
        """
        rows = []
        groups = self.segmentation.groupby(["segmenter", "condition"], sort=False)
        for (segmenter, condition), group in groups:
            stack = np.stack(list(group.sort_values("scene_id").confusion))
            total = stack.sum(axis=0)
            drawn = jackknife_miou(stack)
            row = {"segmenter": segmenter, "condition": condition, "n": len(stack)}
            row |= {"miou": drawn.value, "miou_low": drawn.low, "miou_high": drawn.high}
            row["miou_image_mean"] = segmentation.miou_image_mean(stack)
            row["pixel_accuracy"] = segmentation.pixel_accuracy(total)
            for name, value in zip(TRAIN_CLASSES, segmentation.iou(total), strict=True):
                row[f"iou_{name}"] = value if LANGUAGE_NAMES[name] in self.annotated else np.nan
            rows.append(row)
        return _with_change(pd.DataFrame(rows), "segmenter", ("miou", "pixel_accuracy"), "lower")

    @_frame
    def vlm_per_image(self) -> pd.DataFrame:
        """Return one row for each vlm, condition and scene; see `metrics.per_image.per_image`.

        The control arm is the condition ``blank``.
        """
        return per_image.per_image(self.answers, self.truth, self.reading)

    @_frame
    def vlm_by_condition(self) -> pd.DataFrame:
        """Return one row for each vlm and condition (``blank``, the control arm, among them).

        Means over the n images, each with _low and _high: hr, cor, smr (abstention counts as
        failure), parse_success, mentions (per answer), f1 (description against present objects),
        false_safe + false_alarm + abstained = smr, hr_visible and cor_visible (classes that the
        occluder hides completely are not counted). coverage is over images with an object,
        cor_conditional over the n_critical images with a critical class, both with intervals.
        safety_balanced_accuracy is the mean of the shares judged rightly among safe and among
        unsafe scenes. delta_hr, delta_cor, delta_smr: degraded minus clean (the paper's ΔL).
        """
        groups = self.vlm_per_image().groupby(["vlm", "condition"], sort=False)
        rows = [
            {"vlm": vlm, "condition": condition} | baselines.summary(group, self.bootstrap)
            for (vlm, condition), group in groups
        ]
        return _with_change(pd.DataFrame(rows), "vlm", ("hr", "cor", "smr"), "higher")

    @_frame
    def presence_answers(self) -> pd.DataFrame:
        """Return one row for each presence answer; see `metrics.per_image.presence_answers`."""
        return per_image.presence_answers(self.answers, self.truth, self.reading)

    @_frame
    def presence(self) -> pd.DataFrame:
        """Return one row for each vlm, condition and class asked about.

        Columns: n, and those of `metrics.per_image.presence_scores`.
        """
        keys = ["vlm", "condition", "class"]
        groups = self.presence_answers().groupby(keys, sort=False)
        rows = [dict(zip(keys, k, strict=True)) | per_image.presence_scores(g) for k, g in groups]
        return pd.DataFrame(rows, columns=[*keys, *per_image.PRESENCE_SCORES])

    def presence_by_condition(self) -> pd.DataFrame:
        """Return vlm, condition and the unweighted means over the classes that `presence` has.

        A class that the scenes hold always or never is left out; ``classes`` counts the rest.
        """
        usable = self.presence().dropna(subset=["auc"])
        columns = ["auc", "recall", "specificity", "balanced_accuracy", "yes_share"]
        grouped = usable.groupby(["vlm", "condition"], sort=False)
        return grouped[columns].mean().assign(classes=grouped.size()).reset_index()

    def baselines(self) -> pd.DataFrame:
        """Return what answers score that never look at the image; see `metrics.baselines`.

        The blank arm of each model is the condition ``blank`` of `vlm_by_condition`.
        """
        clean = self.truth[self.truth.condition == "clean"]
        return baselines.baselines(clean, self.reading, self.bootstrap)

    def pairs(self) -> pd.DataFrame:
        """Return segmentation quality beside misalignment, for each condition (Section 6.3).

        One row for each segmenter, vlm and condition: miou, pixel_accuracy, hr, cor, smr and
        their changes from clean (delta_...), as in the two frames by condition.
        """
        q = self.segmentation_by_condition()
        q = q[[c for c in q if not c.startswith("iou_") and c != "n"]]
        return q.merge(self.vlm_by_condition(), on="condition")


def _with_change(
    frame: pd.DataFrame, model: str, columns: tuple[str, ...], worse: str
) -> pd.DataFrame:
    """Add delta_<column>: the change from the same model's clean value, positive if worse.

    Args:
        worse: ``higher`` or ``lower``, which values of the columns are.
    """
    clean = frame[frame.condition == "clean"].set_index(model)
    sign = 1 if worse == "higher" else -1
    for column in columns:
        change = frame[column] - frame[model].map(clean[column])
        frame[f"delta_{column}"] = sign * change + 0.0
    return frame
