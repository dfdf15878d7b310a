"""All images of a study as arrays of scenes by conditions: what correlations over scenes need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vlmis_utils.analysis.quality_measures import Measure, score
from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics.segmentation import class_counts
from vlmis_utils.protocol.classes import TRAIN_CLASSES
from vlmis_utils.protocol.conditions import CONDITIONS, condition_row
from vlmis_utils.statistics.resampling import weighted_mean

__all__ = ["Panel", "covariates", "load_panel"]


@dataclass(frozen=True)
class Panel:
    """N scenes under C conditions, without the control arm.

    Attributes:
        scenes, conditions: their names, in the order of the axes; conditions as in the paper.
        counts: segmenter -> ``image`` or ``corridor`` -> (N, C, 3, 19), see
            `metrics.segmentation.class_counts`; NaN where a picture is missing.
        failures: vlm -> column of ``Results.vlm_per_image`` -> (N, C); NaN where missing.
        floor: (N,), pixels that make a class present in a scene.
    """

    scenes: tuple[str, ...]
    conditions: tuple[str, ...]
    counts: Mapping[str, Mapping[str, np.ndarray]]
    failures: Mapping[str, Mapping[str, np.ndarray]]
    floor: np.ndarray

    @property
    def severity(self) -> np.ndarray:
        """Severity of each condition, int (C,); 0 for clean."""
        rows = [condition_row(c) for c in self.conditions]
        return np.array([row.severity if row else 0 for row in rows])

    @property
    def corruption(self) -> tuple[str, ...]:
        """Corruption of each condition; empty for clean."""
        rows = [condition_row(c) for c in self.conditions]
        return tuple(row.corruption if row else "" for row in rows)

    def part(self, keep: Sequence[bool] | np.ndarray) -> Panel:
        """Return the panel with some conditions only; ``keep`` is bool (C,)."""
        keep = np.asarray(keep, dtype=bool)
        counts = {s: {k: v[:, keep] for k, v in t.items()} for s, t in self.counts.items()}
        failures = {m: {k: v[:, keep] for k, v in t.items()} for m, t in self.failures.items()}
        names = tuple(c for c, kept in zip(self.conditions, keep, strict=True) if kept)
        return Panel(self.scenes, names, counts, failures, self.floor)

    def quality(self, measure: Measure) -> np.ndarray:
        """Return a measure of every image: (S, N, C) for S segmenters."""
        where = "corridor" if measure.corridor else "image"
        floor = self.floor[:, None]
        return np.stack([score(measure, t[where], floor) for t in self.counts.values()])

    def quality_means(self, measure: Measure, weights: np.ndarray) -> np.ndarray:
        """Return a measure of the counts that each resample adds up: (R, S, C), to 12 decimals.

        Args:
            measure: which.
            weights: (R, N).
        """
        where = "corridor" if measure.corridor else "image"
        found = []
        for tables in self.counts.values():
            table = np.nan_to_num(tables[where])
            sums = weights @ table.reshape(len(table), -1)
            found.append(score(measure, sums.reshape(-1, *table.shape[1:])))
        return np.round(np.stack(found, axis=1), 12)

    def failure(self, column: str) -> np.ndarray:
        """Return a column of every image: (V, N, C) for V models."""
        return np.stack([tables[column] for tables in self.failures.values()])

    def failure_means(self, column: str, weights: np.ndarray) -> np.ndarray:
        """Return means over the scenes of each resample: (R, V, C).

        They are rounded to 12 decimals, so that equal means are ties in spite of the order in
        which they were added up.
        """
        means = weighted_mean(weights, np.moveaxis(self.failure(column), 1, 0))
        return np.round(means, 12)


def load_panel(results: Results, columns: Sequence[str]) -> Panel:
    """Return the panel of a run.

    Args:
        results: of the run.
        columns: of ``Results.vlm_per_image`` that are wanted.
    """
    scenes = tuple(sorted(results.scenes.scene_id))
    seen = set(results.segmentation.condition)
    conditions = tuple(c for c in CONDITIONS if c in seen)
    row = {name: i for i, name in enumerate(scenes)}
    place = {name: i for i, name in enumerate(conditions)}
    shape, size = (len(scenes), len(conditions)), len(TRAIN_CLASSES)
    counts = {}
    for segmenter, group in results.segmentation.groupby("segmenter", sort=False):
        at = group.scene_id.map(row), group.condition.map(place)
        tables = {}
        for name, column in (("image", "confusion"), ("corridor", "corridor_confusion")):
            stack = np.stack(list(group[column])).reshape(-1, size, size)
            tables[name] = np.full((*shape, 3, size), np.nan)
            tables[name][at] = class_counts(stack)
        counts[segmenter] = tables
    images = results.vlm_per_image()
    failures = {}
    for vlm, group in images[images.condition.isin(conditions)].groupby("vlm", sort=False):
        at = group.scene_id.map(row), group.condition.map(place)
        failures[vlm] = {column: np.full(shape, np.nan) for column in columns}
        for column in columns:
            failures[vlm][column][at] = group[column].to_numpy(dtype=float)
    sizes = results.scenes.set_index("scene_id").loc[list(scenes)]
    floor = results.reading.min_share * (sizes.height * sizes.width).to_numpy(dtype=float)
    return Panel(scenes, conditions, counts, failures, floor)


def covariates(panel: Panel, corruption: bool = False) -> np.ndarray:
    """Return the severity of each condition and, if wanted, an indicator of each corruption.

    Clean has severity 0 and no corruption. Rows that others determine are left out, as where a
    study has one severity only.

    Returns:
        float64 (K, C).
    """
    rows = [panel.severity.astype(float)]
    if corruption:
        names = [name for name in dict.fromkeys(panel.corruption) if name]
        rows += [np.array([c == name for c in panel.corruption], dtype=float) for name in names]
    kept: list[np.ndarray] = []
    for candidate in rows:
        rows_so_far = np.array([np.ones(len(panel.conditions)), *kept, candidate])
        if np.linalg.matrix_rank(rows_so_far) == len(rows_so_far):
            kept.append(candidate)
    return np.array(kept).reshape(len(kept), len(panel.conditions))
