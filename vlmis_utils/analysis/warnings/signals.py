"""All signals of a run that need no truth, a row for each picture and VLM, and what they predict.

A signal is given so that more of it means more doubt: those that fall with doubt are negated.
Distances and temperatures rest on the clean pictures of other scenes, never on the picture's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vlmis_utils.analysis.results import BLANK, Results
from vlmis_utils.analysis.warnings import answers, pictures
from vlmis_utils.statistics.cross_validation import grouped_folds

__all__ = ["SIGNALS", "SOURCES", "TARGETS", "Signal", "Warnings", "load_warnings"]

KEYS = ["scene_id", "condition"]
SOURCES = ("image", "segmenter", "VLM", "both")


@dataclass(frozen=True)
class Signal:
    """What a vehicle could watch.

    Attributes:
        words: in a table or figure.
        source: one of `SOURCES`; ``both`` compares what segmenter and VLM say.
        needs: what must run for it, beside the VLM that is watched.
        measured: the line of ``book/measured/signals.csv`` with what it costs itself; empty where
            it is read off what is there.
    """

    words: str
    source: str
    needs: str = "nothing"
    measured: str = ""


_ONE, _ALL, _TWICE = "a segmenter", "all segmenters", "a segmenter, twice"
_WHERE = {"image": "whole image", "corridor": "corridor", "critical": "critical classes"}

SIGNALS: Mapping[str, Signal] = {
    "sharpness": Signal("little sharpness", "image", measured="picture"),
    "brightness": Signal("little brightness", "image", measured="picture"),
    "contrast": Signal("little contrast", "image", measured="picture"),
    "noise": Signal("noise", "image", measured="picture"),
    "black_share": Signal("black pixels", "image", measured="picture"),
    "white_share": Signal("white pixels", "image", measured="picture"),
    "variation": Signal("little total variation", "image", measured="picture"),
    **{
        f"{name}_{region}": Signal(f"{words}, {where}", "segmenter", _ONE, "scores")
        for region, where in _WHERE.items()
        for name, words in {
            "entropy": "entropy", "entropy_tail": "entropy, 95 % quantile",
            "margin": "small margin", "margin_tail": "small margin, 5 % quantile",
        }.items()
    },
    "tempered": Signal("entropy at the fitted temperature", "segmenter", _ONE, "scores"),
    **{
        f"flip_{region}": Signal(f"changes, mirrored and shifted, {where}", "segmenter", _TWICE,
                                 "mirror")
        for region, where in _WHERE.items()
    },
    "disagree_image": Signal("segmenters disagree, whole image", "segmenter", _ALL, "maps"),
    "disagree_corridor": Signal("segmenters disagree, corridor", "segmenter", _ALL, "maps"),
    "safety_margin": Signal("small margin, safety answer", "VLM"),
    "presence_margin": Signal("small margin, presence answers", "VLM"),
    "describe_entropy": Signal("entropy, description", "VLM"),
    "distance": Signal("distance of the embedding", "VLM", measured="distance"),
    "inconsistent": Signal("description against presence answers", "VLM"),
    "others_mention": Signal("other VLMs mention other classes", "VLM", "all VLMs"),
    "others_decide": Signal("other VLMs decide otherwise", "VLM", "all VLMs"),
    "omits_seen": Signal("critical class segmented, not mentioned", "both", _ONE),
    "invents": Signal("class mentioned, not segmented", "both", _ONE),
    "safe_but_occupied": Signal("called safe, corridor occupied", "both", _ONE),
}  # fmt: skip

# Target -> its words, and the column of ``Results.vlm_per_image`` that says whether it happened. A
# call can be falsely safe only where it says "safe", an omission happen only where a class is.
TARGETS: Mapping[str, str] = {
    "hallucination": "hallucination",
    "omission": "critical omission",
    "wrong call": "wrong safety call",
    "false safe": "false-safe call",
}


@dataclass(frozen=True)
class Warnings:
    """The pictures of a run, in one order for all VLMs: M scenes under conditions, without blank.

    Attributes:
        pictures: M rows: scene_id, condition, family (empty for clean) and severity.
        scene: int (M,), the scene of each, from 0; fold: int (M,), equal within a scene.
        signals: vlm -> M rows, a column for each signal that the run has; NaN where it has none.
        targets: vlm -> M rows, a column for each of `TARGETS`: 1, 0, or NaN where it cannot happen.
        miou: (M,), of the segmenter that is watched: what no vehicle knows.
        segmenter: its name.
    """

    pictures: pd.DataFrame
    scene: np.ndarray
    fold: np.ndarray
    signals: Mapping[str, pd.DataFrame]
    targets: Mapping[str, pd.DataFrame]
    miou: np.ndarray
    segmenter: str

    @property
    def vlms(self) -> tuple[str, ...]:
        """The VLMs that are watched."""
        return tuple(self.signals)

    def known(self, sources: Sequence[str] = SOURCES) -> list[str]:
        """Return the signals of some sources that every VLM has and that vary for some."""
        tables = self.signals.values()
        return [
            name
            for name, signal in SIGNALS.items()
            if signal.source in sources
            and all(name in own for own in tables)
            and any(own[name].max() > own[name].min() for own in tables)
        ]


def load_warnings(
    results: Results, segmenter: str | None = None, folds: int = 5, seed: int = 0
) -> Warnings:
    """Return all signals of a run and what they should predict.

    Args:
        results: of the run.
        segmenter: which is watched; None for the first of the run.
        folds, seed: of the scenes; what a signal is compared with lies in the other folds.
    """
    chosen = segmenter or results.segmentation.segmenter.iloc[0]
    judged = results.vlm_per_image()
    judged = judged[judged.condition != BLANK]
    quality = results.segmentation_per_image()
    own = quality[quality.segmenter == chosen].set_index(KEYS).miou.sort_index()
    index = own.index
    scene = pd.factorize(index.get_level_values(0), sort=True)[0]
    few = len(np.unique(scene)) < 2
    fold = np.zeros(len(scene), dtype=int) if few else grouped_folds(scene, folds, seed)
    clean = index.get_level_values(1) == "clean"
    seen = pictures.of_pictures(results, index)
    seen = seen.join(pictures.of_segmenters(results, chosen, index, fold, clean))
    signals, targets = {}, {}
    for vlm, group in judged.groupby("vlm", sort=False):
        rows = group.set_index(KEYS).reindex(index)
        said = answers.of_answers(results, vlm, index, fold, clean)
        said = said.join(answers.of_others(judged, vlm, index))
        both = answers.contradictions(results, rows, chosen)
        signals[vlm] = seen.join(said).join(both).dropna(axis=1, how="all").astype(float)
        targets[vlm] = _targets(rows)
    frame = index.to_frame(index=False)
    condition = frame.condition
    frame["family"] = condition.str.rstrip("0123456789").where(condition != "clean", "")
    frame["severity"] = condition.str.extract(r"(\d+)$")[0].fillna("0").astype(int)
    return Warnings(frame, scene, fold, signals, targets, own.to_numpy(), chosen)


def _targets(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "hallucination": (rows.hr_i > 0).astype(float).where(rows.hr_i.notna()),
            "omission": rows.omitted_conditional,
            "wrong call": rows.smr_i,
            "false safe": rows.false_safe.where(rows.decision == "safe"),
        }
    ).reset_index(drop=True)
