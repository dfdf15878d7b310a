"""Where a claim's numbers come from: the paper's printed tables, or the records of a run.

Both sources answer the same questions, so that one rule judges both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from vlmis_utils.analysis.claims.quantities import Drawn, Printed, Quantity, printed_share
from vlmis_utils.analysis.paper.grim import PICTURES
from vlmis_utils.analysis.paper.tables import (
    PRINTED_NAMES,
    PUBLISHED,
    load_table2,
    load_table3,
    load_tables456,
)
from vlmis_utils.analysis.results import BLANK, Results
from vlmis_utils.metrics.miou_intervals import resampled_counts
from vlmis_utils.metrics.per_image import METRIC_COLUMNS
from vlmis_utils.metrics.segmentation import class_iou, miou_of_counts
from vlmis_utils.protocol.classes import TRAIN_CLASSES
from vlmis_utils.statistics import correlation
from vlmis_utils.statistics.resampling import sample_and_resamples, weighted_mean

__all__ = ["PRINTED_N", "PrintedTables", "Run", "Source", "over_conditions"]

PRINTED_N = PICTURES  # images behind a printed rate: what the audit of the tables assumes

_COLUMNS = METRIC_COLUMNS | {"abstained": "abstained"}


class Source(Protocol):
    """Segmentation quality and misalignment of some models under some conditions.

    Attributes:
        segmenters, vlms: names of the models.
        conditions: ``clean`` first.
    """

    segmenters: list[str]
    vlms: list[str]
    conditions: list[str]

    def named(self, label: str) -> str | None:
        """Return the model that the paper calls ``label``, None if it is not here."""
        ...

    def rate(self, vlm: str, condition: str, metric: str) -> Quantity:
        """Return hr, cor, smr, or abstained: the mean over images."""
        ...

    def quality(self, segmenter: str, condition: str) -> Quantity:
        """Return mIoU of the summed confusion counts."""
        ...

    def iou(self, segmenter: str, condition: str, train_class: str) -> Quantity | None:
        """Return the IoU of one class, None where it is not known."""
        ...


@dataclass(frozen=True)
class PrintedTables:
    """The paper's Tables 2 to 6.

    A rate is the mean over `PRINTED_N` images. IoU and mIoU come without any hint at their error
    and are taken at face value.

    Attributes:
        n: images behind a rate.
        folder: of the printed tables.
    """

    n: int = PRINTED_N
    folder: str | Path = PUBLISHED

    @cached_property
    def _misalignment(self) -> dict[tuple[str, str], dict[str, float]]:
        frame = load_tables456(self.folder)
        frame["abstained"] = 1 - frame.parse_success
        return frame.set_index(["vlm", "condition"]).to_dict("index")

    @cached_property
    def _quality(self) -> dict[tuple[str, str], float]:
        return load_table3(self.folder).set_index(["segmenter", "condition"]).miou.to_dict()

    @cached_property
    def _classes(self) -> dict[tuple[str, str], float]:
        return load_table2(self.folder).set_index(["train_class", "condition"]).iou.to_dict()

    @property
    def segmenters(self) -> list[str]:
        """Models of Table 3."""
        return list(dict.fromkeys(segmenter for segmenter, _ in self._quality))

    @property
    def vlms(self) -> list[str]:
        """Models of Tables 4 to 6."""
        return list(dict.fromkeys(vlm for vlm, _ in self._misalignment))

    @property
    def conditions(self) -> list[str]:
        """The ten conditions, clean first."""
        return list(dict.fromkeys(condition for _, condition in self._quality))

    def named(self, label: str) -> str | None:
        """Return the model that the paper calls ``label``."""
        return {printed: name for name, printed in PRINTED_NAMES.items()}.get(label)

    def rate(self, vlm: str, condition: str, metric: str) -> Printed:
        """Return a printed rate; NaN where the paper prints none."""
        return printed_share(float(self._misalignment[vlm, condition][metric]), self.n)

    def quality(self, segmenter: str, condition: str) -> Printed:
        """Return the mIoU of Table 3."""
        return Printed(float(self._quality[segmenter, condition]))

    def iou(self, segmenter: str, condition: str, train_class: str) -> Printed | None:
        """Return a cell of Table 2, which is about DeepLabV3+."""
        if segmenter != "deeplabv3plus":
            return None
        return Printed(float(self._classes[train_class, condition]))


class Run:
    """The records of a run, resampled by scenes.

    Args:
        results: the run, read one way.
        labels: model name to the label that figures show; a claim about CLIP is judged by the
            model labelled CLIP.
    """

    def __init__(self, results: Results, labels: Mapping[str, str]) -> None:
        self._results, self._labels = results, dict(labels)
        segmentation = results.segmentation
        self.segmenters = list(dict.fromkeys(segmentation.segmenter))
        images = results.vlm_per_image()
        images = images[images.condition != BLANK]
        self.vlms = list(dict.fromkeys(images.vlm))
        self.conditions = list(dict.fromkeys(segmentation.condition))
        scenes = sorted(segmentation.scene_id.unique())
        self._weights = sample_and_resamples(len(scenes), results.bootstrap)
        self._scenes, self._images = scenes, images

    @cached_property
    def _rates(self) -> dict[tuple[str, str], np.ndarray]:
        """Draws (1 + R, metrics) of each model under each condition."""
        found = {}
        for key, group in self._images.groupby(["vlm", "condition"], sort=False):
            table = group.set_index("scene_id")[list(_COLUMNS.values())].astype(float)
            found[key] = weighted_mean(self._weights, table.reindex(self._scenes).to_numpy())
        return found

    @cached_property
    def _counts(self) -> dict[tuple[str, str], np.ndarray]:
        """Draws (1 + R, 3, 19) of hits, truth and output pixels."""
        found = {}
        groups = self._results.segmentation.groupby(["segmenter", "condition"], sort=False)
        for key, group in groups:
            stack = np.stack(list(group.set_index("scene_id").confusion.loc[self._scenes]))
            found[key] = resampled_counts(stack, self._weights)
        return found

    @cached_property
    def _qualities(self) -> dict[tuple[str, str], Drawn]:
        """mIoU of each segmenter under each condition: many claims ask for the same."""
        return {key: Drawn(miou_of_counts(counts)) for key, counts in self._counts.items()}

    def named(self, label: str) -> str | None:
        """Return the model whose label is ``label``, of those that ran."""
        ran = (*self.segmenters, *self.vlms)
        return next((name for name in ran if self._labels.get(name, name) == label), None)

    def rate(self, vlm: str, condition: str, metric: str) -> Drawn:
        """Return hr, cor, smr or abstained, with its resamples."""
        return Drawn(self._rates[vlm, condition][:, list(_COLUMNS).index(metric)])

    def quality(self, segmenter: str, condition: str) -> Drawn:
        """Return mIoU of the summed counts, over the classes in each resample's truth."""
        return self._qualities[segmenter, condition]

    def iou(self, segmenter: str, condition: str, train_class: str) -> Drawn | None:
        """Return the IoU of one class; None where the truth never has it."""
        counts = self._counts[segmenter, condition][:, :, TRAIN_CLASSES.index(train_class)]
        draws = np.where(counts[:, 1] > 0, class_iou(counts[:, :, None])[:, 0], np.nan)
        return Drawn(draws) if np.isfinite(draws[0]) else None


def over_conditions(source: Source, segmenter: str, vlm: str, metric: str) -> dict[str, object]:
    """Return Pearson's correlation of mIoU with a metric over a source's conditions."""
    quality = [source.quality(segmenter, c).value for c in source.conditions]
    rates = [source.rate(vlm, c, metric).value for c in source.conditions]
    return correlation(quality, rates)
