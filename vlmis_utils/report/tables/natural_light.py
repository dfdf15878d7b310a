"""Natural low light beside Table 1's, as finished cells."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis.natural_light import DUSK, Light
from vlmis_utils.core.formatting import percent
from vlmis_utils.report.tables.markdown import Column, cells
from vlmis_utils.report.text.sentences import NAMES

__all__ = ["LIGHTS", "ladder_words", "load_luma", "load_matched"]

LIGHTS: dict[str, str] = {"clean": "day, as it is", DUSK: "dusk, as it is"}


def ladder_words(light: Light) -> str:
    """Return what of Table 1 is compared with dusk: the ladder at its luma, or the nearest rung."""
    if light.nearest is None:
        return "Table 1 at the luma of dusk"
    return f"{light.nearest}, the nearest rung" if light.nearest != "clean" else "day itself"


def load_luma(luma: pd.DataFrame) -> pd.DataFrame:
    """Return light, frames, mean luma with its interval, and the share of unsafe frames.

    Args:
        luma: of `analysis.natural_light.Light`.
    """
    return cells(
        luma,
        Column("light", "light", words={c: f"day, {c}" for c in luma.light} | LIGHTS),
        Column("frames", "n"),
        Column("mean luma", "luma", interval=True, digits=3),
        Column("unsafe", "unsafe", form=percent),
    )


def load_matched(light: Light, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return model, measure, the natural change, the synthetic one, and their difference.

    Args:
        light: day, darkened day and dusk.
        labels: model name to label.
    """
    return cells(
        light.matched,
        Column("model", "model", words=labels),
        Column("measure", "measure", words=NAMES),
        Column("day to dusk", "natural", interval=True, sign=True),
        Column(f"day to {ladder_words(light)}", "synthetic", interval=True, sign=True),
        Column("difference", "difference", interval=True, sign=True),
    )
