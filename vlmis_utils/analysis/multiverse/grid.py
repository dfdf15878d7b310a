"""Every image under every specification: a specification is one level of each choice that matters.

Choices that cannot touch a metric or a model are left out of its grid: Top-K means nothing to a
model that answers in text.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmis_utils.analysis.multiverse.choices import Choice, Level
from vlmis_utils.analysis.multiverse.terms import TERMS, read_answers, read_truth
from vlmis_utils.analysis.results import Results
from vlmis_utils.protocol.conditions import CONDITIONS, TABLE1
from vlmis_utils.records.store import BLANK
from vlmis_utils.statistics.resampling import weighted_mean

__all__ = ["Grid", "full_factorial", "grids", "worst_conditions"]


@dataclass(frozen=True)
class Grid:
    """One metric of one VLM, for each image, under all combinations of the choices that apply.

    Attributes:
        vlm, metric: which; the metric is hr, cor or smr.
        conditions: C of them in the order of the paper's tables, without blank.
        scenes: S scene ids, sorted.
        levels: one row for each of P specifications, one column of level names for each choice; a
            full factorial, the study's own specification first.
        values: float64 (P, C, S), the image's term of the metric; NaN where it has none.
        hidden: bool (C,), whether the occluder hides some object completely.
    """

    vlm: str
    metric: str
    conditions: tuple[str, ...]
    scenes: tuple[str, ...]
    levels: pd.DataFrame
    values: NDArray[np.float64]
    hidden: NDArray[np.bool_]

    def rates(self) -> NDArray[np.float64]:
        """Return the mean over scenes, float64 (P, C), rounded to 12 digits so that ties are ties;
        NaN where no image has a value."""
        whole = np.ones((1, len(self.scenes)))
        return weighted_mean(whole, np.moveaxis(self.values, -1, 0))[0].round(12)

    def under(self, conditions: Sequence[str]) -> Grid:
        """Return the grid of some conditions, without a choice about hidden objects where these
        conditions hide none."""
        index = [self.conditions.index(name) for name in conditions]
        part = replace(
            self, conditions=tuple(conditions), values=self.values[:, index],
            hidden=self.hidden[index],
        )  # fmt: skip
        if part.hidden.any() or "hidden" not in self.levels:
            return part
        keep = (self.levels.hidden == self.levels.hidden.iloc[0]).to_numpy()
        levels = self.levels[keep].drop(columns="hidden").reset_index(drop=True)
        return replace(part, levels=levels, values=part.values[keep])


def full_factorial(used: Sequence[Choice]) -> list[dict[str, Level]]:
    """Return all combinations of levels, as choice key -> `Level`; the study's own comes first.

    >>> two = Choice("a", "", (Level("x", 0), Level("y", 1)), (), "")
    >>> [row["a"].name for row in full_factorial([two])]
    ['x', 'y']
    """
    keys = [choice.key for choice in used]
    rows = itertools.product(*(choice.levels for choice in used))
    return [dict(zip(keys, row, strict=True)) for row in rows]


def worst_conditions(conditions: Sequence[str]) -> list[str]:
    """Return the most severe given condition of each corruption, in the order of the tables.

    >>> worst_conditions(["clean", "LL1", "LL3", "OCC2"])
    ['LL3', 'OCC2']
    """
    worst: dict[str, str] = {}
    for row in sorted(TABLE1, key=lambda row: row.severity):
        if row.condition in conditions:
            worst[row.corruption] = row.condition
    return [name for name in CONDITIONS if name in worst.values()]


def grids(results: Results, every: Sequence[Choice]) -> list[Grid]:
    """Return a `Grid` for each VLM and metric; nothing but the records is read.

    Args:
        results: read the study's own way.
        every: from `analysis.multiverse.choices.choices`.
    """
    found = set(results.conditions.condition) - {BLANK}
    conditions = tuple(name for name in CONDITIONS if name in found)
    truth = read_truth(results, conditions)
    scenes = tuple(truth.table.scene_id)
    least = min(level.value for choice in every if choice.key == "share" for level in choice.levels)
    hidden = truth.hidden(least).any((1, 2))
    own = {choice.key: choice.own.value for choice in every}
    answered = results.answers[results.answers.condition.isin(conditions)]
    made = []
    for vlm, answers in answered.groupby("vlm", sort=False):
        said = read_answers(answers, scenes, conditions, results.reading, every)
        shows = said.shows | ({"hidden"} if hidden.any() else set())
        for metric, terms in TERMS.items():
            used = [c for c in every if metric in c.metrics and (not c.needs or c.needs in shows)]
            rows = full_factorial(used)
            specs = [own | {key: level.value for key, level in row.items()} for row in rows]
            values = np.stack([terms(truth, said, spec) for spec in specs])
            values = np.where(said.described, values, np.nan)
            names = pd.DataFrame([{k: level.name for k, level in row.items()} for row in rows])
            made.append(Grid(vlm, metric, conditions, scenes, names, values, hidden))
    return made
