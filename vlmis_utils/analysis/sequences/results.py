"""The frames of a study of sequences, and its measures over time by model and condition."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from vlmis_utils.analysis.open_results import open_results, open_study
from vlmis_utils.analysis.results import Results
from vlmis_utils.core.errors import RunError
from vlmis_utils.core.storage import Place
from vlmis_utils.metrics import segmentation
from vlmis_utils.metrics.temporal import language
from vlmis_utils.protocol.conditions import BLANK
from vlmis_utils.protocol.study import Study
from vlmis_utils.statistics import bootstrap_interval

__all__ = [
    "LANGUAGE", "SEGMENTATION", "Sequences", "open_sequence_results", "over_drives", "table_of",
]  # fmt: skip

# Columns of the frames by drive -> words.
LANGUAGE: dict[str, str] = {
    "hr": "HR", "cor": "COR", "smr": "SMR", "flicker": "flicker of mentions",
    "safety_flicker": "flicker of the safety answer", "persistence": "frames a hallucination lasts",
    "latency": "frames until first mentioned", "never": "never mentioned", "missed": "time missed",
    "lag": "safety lag, frames", "lag_never": "change never noticed",
    "exposure": "unsafe time judged safe", "exposed_seconds": "seconds of it",
    "smr_drift": "drift of SMR, 1/s",
}  # fmt: skip
SEGMENTATION: dict[str, str] = {
    "miou": "mIoU", "flips": "flip rate", "raw_flips": "flip rate without motion",
    "miou_smoothed": "mIoU, running mean", "flips_smoothed": "flip rate, running mean",
    "miou_drift": "drift of mIoU, 1/s",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Sequences:
    """The results of a study of sequences.

    Attributes:
        results: of its frames, read as pictures.
        study: its parameters.
    """

    results: Results
    study: Study

    @cached_property
    def places(self) -> pd.DataFrame:
        """scene_id, sequence, frame, time (s) and safe of each frame, drive by drive."""
        columns = ["scene_id", "sequence", "frame", "time", "speed", "safe", "safety_reason"]
        return self.results.scenes[columns].sort_values(["sequence", "frame"])

    @cached_property
    def frames(self) -> pd.DataFrame:
        """`Results.vlm_per_image` with sequence, frame and time, in order; without the blanks."""
        images = self.results.vlm_per_image()
        images = images[images.condition != BLANK]
        placed = images.merge(self.places[["scene_id", "sequence", "frame", "time"]], on="scene_id")
        return placed.sort_values(["vlm", "condition", "sequence", "frame"], kind="stable")

    @cached_property
    def drives(self) -> list[str]:
        """The names of the drives."""
        return sorted(self.places.sequence.unique())

    @cached_property
    def changing(self) -> list[str]:
        """Those during which the safety label changes."""
        counts = self.places.groupby("sequence").safe.nunique()
        return sorted(counts[counts > 1].index)

    def language_by_drive(self, frames: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return one row for each vlm, condition and drive, with the measures of `LANGUAGE`.

        And with ``omitted``, COR over all frames, a frame without a critical class counted as 0.

        Args:
            frames: in the form of `frames`, say after an aggregation; those of the run without.
        """
        frames = self.frames if frames is None else frames
        keys = ["vlm", "condition", "sequence"]
        rows = [
            dict(zip(keys, key, strict=True)) | self._of_drive(group)
            for key, group in frames.groupby(keys, sort=False)
        ]
        return pd.DataFrame(rows, columns=[*keys, "omitted", *LANGUAGE])

    def _of_drive(self, group: pd.DataFrame) -> dict[str, float]:
        vocabulary = self.results.reading.vocabulary
        said, real = table_of(group.mentioned, vocabulary), table_of(group.present, vocabulary)
        must = np.isin(vocabulary, self.results.reading.critical_classes)
        safe = group.safe.to_numpy(bool)
        words = group.decision.to_numpy(object)
        waited = language.latency(said[:, must], real[:, must])
        lags = language.safety_lag(words == "unsafe", safe)
        lasted = language.hallucinations(said, real)
        risky = (words == "safe") & ~safe
        return {
            "hr": group.hr_i.mean(), "cor": group.omitted_conditional.mean(),
            "omitted": group.omitted.mean(), "smr": group.smr_i.mean(),
            "flicker": language.flicker(said, real),
            "safety_flicker": language.flicker(words, safe),
            "persistence": _mean(n for n, _ in lasted),
            "latency": _mean(n for n, _ in waited), "never": _mean(not seen for _, seen in waited),
            "missed": language.missed(said[:, must], real[:, must]),
            "lag": _mean(n for n, _ in lags), "lag_never": _mean(not seen for _, seen in lags),
            "exposure": language.exposure(words == "safe", safe),
            "exposed_seconds": float(risky.sum()) / self.study.rate if (~safe).any() else np.nan,
            "smr_drift": self._drift(group.smr_i, group.time),
        }  # fmt: skip

    def _drift(self, error: Iterable[float], time: Iterable[float]) -> float:
        """Slope over the frames from the onset of the degradation on."""
        error, time = np.asarray(error, float), np.asarray(time, float)
        start = 0.0 if self.study.onset == "none" else self.study.onset_time
        after = time >= start - 1e-9
        return language.slope(error[after], time[after])

    def segmentation_by_drive(self) -> pd.DataFrame:
        """Return one row for each segmenter, condition and drive, with those of `SEGMENTATION`.

        mIoU is of the drive's summed counts; flip rates are shares of its pixels that have a
        partner in the frame before.
        """
        keys = ["segmenter", "condition", "sequence"]
        table = self.results.segmentation.merge(self.places[["scene_id", "time"]], on="scene_id")
        rows = [
            dict(zip(keys, key, strict=True)) | self._of_pixels(group.sort_values("frame"))
            for key, group in table.groupby(keys, sort=False)
        ]
        return pd.DataFrame(rows, columns=[*keys, *SEGMENTATION])

    def _of_pixels(self, group: pd.DataFrame) -> dict[str, float]:
        stack = np.stack(list(group.confusion))
        flips, raw = _summed(group.flips), _summed(group.raw_flips)
        smooth = [c for c in group.smoothed_confusion if c is not None]
        return {
            "miou": segmentation.miou(stack.sum(axis=0)),
            "flips": _rate(flips, 1), "raw_flips": _rate(raw, 1),
            "miou_smoothed": segmentation.miou(np.sum(smooth, axis=0).reshape(19, 19))
            if len(smooth) == len(group) else np.nan,
            "flips_smoothed": _rate(flips, 2),
            "miou_drift": self._drift(np.atleast_1d(segmentation.miou(stack)), group.time),
        }  # fmt: skip

    def shuffled(self, seed: int = 0) -> pd.DataFrame:
        """Return `frames` with those of each drive in another order: the control that must fail.

        Truth and answers stay together, and every model and condition of a drive gets one order:
        rates over frames stay as they are, and whatever is measured over time loses its meaning.
        """
        rng = np.random.default_rng(seed)
        frames = self.frames.copy()
        order = {
            name: dict(zip(group.frame, rng.permutation(group.frame), strict=True))
            for name, group in self.places.groupby("sequence")
        }
        pairs = zip(frames.sequence, frames.frame, strict=True)
        frames["frame"] = [order[sequence][frame] for sequence, frame in pairs]
        return frames.sort_values(["vlm", "condition", "sequence", "frame"], kind="stable")


def open_sequence_results(records: str | Place, **reading: object) -> Sequences:
    """Open the results of a study of sequences; arguments as of `open_results`.

    Raises:
        RunError: the records are of single pictures.
    """
    found = Sequences(open_results(records, **reading), open_study(records))
    if found.results.scenes.sequence.isna().any():
        raise RunError(f"{records} holds single pictures: set frames in the study's parameters")
    return found


def over_drives(
    frame: pd.DataFrame, by: list[str], columns: Iterable[str], resamples: int = 2000
) -> pd.DataFrame:
    """Return the mean over drives of each column with its interval.

    Args:
        frame: one row for each model, condition and drive.
        by: the columns that make the groups.
        columns: which measures.
        resamples: of the drives; the same for every group.

    Returns:
        The columns ``by``; drives, how many; and for each measure its mean over the drives that
        have it, with _low, _high and _n (drives that have it). No bounds below two drives.
    """
    rows = []
    for key, group in frame.groupby(by, sort=False):
        group = group.sort_values("sequence")
        row = dict(zip(by, key, strict=True)) | {"drives": len(group)}
        for column in columns:
            values = group[column].to_numpy(float)
            count = int(np.isfinite(values).sum())
            found = bootstrap_interval(values, resamples=resamples)
            bounds = (found.low, found.high) if count > 1 else (np.nan, np.nan)
            row |= {column: found.value, f"{column}_low": bounds[0], f"{column}_high": bounds[1]}
            row[f"{column}_n"] = count
        rows.append(row)
    return pd.DataFrame(rows)


def table_of(sets: pd.Series, vocabulary: tuple[str, ...]) -> np.ndarray:
    """Return sets of class names as bool (N, K) over the vocabulary."""
    return np.array([[name in found for name in vocabulary] for found in sets], bool)


def _summed(counts: pd.Series) -> np.ndarray | None:
    known = [np.asarray(c) for c in counts if c is not None]
    return np.sum(known, axis=0) if known else None


def _rate(counts: np.ndarray | None, at: int) -> float:
    if counts is None or len(counts) <= at or not counts[0]:
        return float("nan")
    return float(counts[at] / counts[0])


def _mean(values: Iterable[float]) -> float:
    values = [float(v) for v in values]
    return float(np.mean(values)) if values else float("nan")
