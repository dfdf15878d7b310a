"""Natural low light beside Table 1's, as finished cells."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis.natural_light import DUSK
from vlmis_utils.report.tables.markdown import Column, cells
from vlmis_utils.report.text.sentences import NAMES

__all__ = ["LIGHTS", "load_luma", "load_matched"]

LIGHTS: dict[str, str] = {"clean": "day, as it is", DUSK: "dusk, as it is"}


def load_luma(luma: pd.DataFrame) -> pd.DataFrame:
    """Return light, frames and mean luma with its interval.

    Args:
        luma: of `analysis.natural_light.Light`.
    """
    return cells(
        luma,
        Column("light", "light", words={c: f"day, {c}" for c in luma.light} | LIGHTS),
        Column("frames", "n"),
        Column("mean luma", "luma", interval=True, digits=3),
    )


def load_matched(matched: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return model, measure, the natural change, the synthetic one, and their difference.

    Args:
        matched: of `analysis.natural_light.Light`.
        labels: model name to label.
    """
    return cells(
        matched,
        Column("model", "model", words=labels),
        Column("measure", "measure", words=NAMES),
        Column("day to dusk", "natural", interval=True, sign=True),
        Column("day to Table 1 at the luma of dusk", "synthetic", interval=True, sign=True),
        Column("difference", "difference", interval=True, sign=True),
    )
