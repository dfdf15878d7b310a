"""The audit's correlations, tests and safety answers as finished cells of the page's tables."""

from __future__ import annotations

import pandas as pd

from vlmis_utils.analysis.paper.bounds import BANDS
from vlmis_utils.analysis.paper.tables import PRINTED_NAMES
from vlmis_utils.core.formatting import number, p_value
from vlmis_utils.report.tables.markdown import Column, beside, cells, span
from vlmis_utils.report.tables.paper import COLUMNS, METRIC, VLM, printed_names

__all__ = [
    "load_bands", "load_changes", "load_coefficients", "load_readings", "load_safety_answers",
    "load_significant",
]  # fmt: skip


def load_coefficients(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `correlations`, one line a pair: both coefficients, intervals, p and Holm's p."""
    lines = []
    for (metric, vlm, segmenter), rows in frame.groupby(["metric", "vlm", "segmenter"], sort=False):
        line = {
            "metric": metric.upper(), "VLM": PRINTED_NAMES[vlm],
            "segmenter": PRINTED_NAMES[segmenter], "n": str(rows.n.iloc[0]),
            "different values": str(rows.distinct.iloc[0]),
        }  # fmt: skip
        for row in rows.itertuples():
            name = row.method.capitalize()
            line[name] = beside(row.r, row.low, row.high)
            line[f"{name}: p"] = p_value(row.p)
            line[f"{name}: Holm"] = p_value(row.p_holm)
        lines.append(line)
    return pd.DataFrame(lines)


def load_bands(table: pd.DataFrame) -> pd.DataFrame:
    """Return `band_counts`: what the paper says of each metric, and what the pairs give."""
    lines = []
    for row in table.itertuples():
        read = BANDS[row.metric]
        band = f"{number(read.low)} ≤ r < {number(read.high)}"
        lines.append(
            {
                "words and band": f"{row.metric.upper()}: {read.words} {span(band, 'interval')}",
                "coefficient": row.method.capitalize(),
                "range": f"{number(row.lowest)} to {number(row.highest)}",
                "signs −, +": f"{row.negative}, {row.positive}",
                "in the band": f"{row.in_band} of {row.pairs}",
                "95 % interval excludes zero −, +": (
                    f"{row.excluding_negative}, {row.excluding_positive}"
                ),
                "after Holm": str(row.significant),
                "interval inside, outside": f"{row.inside}, {row.outside}",
            }
        )
    return pd.DataFrame(lines)


def load_readings(table: pd.DataFrame) -> pd.DataFrame:
    """Return `readings`, one line a reading and metric: both coefficients' ranges."""
    lines = []
    for (reading, metric), rows in table.groupby(["reading", "metric"], sort=False):
        first = rows.iloc[0]
        line = {"reading": reading, "points": str(first.n), "metric": metric.upper()}
        for row in rows.itertuples():
            low, high = number(row.lowest), number(row.highest)
            line[row.method.capitalize()] = low if row.pairs == 1 else f"{low} to {high}"
        line["in the band"] = f"{rows.in_band.sum()} of {rows.pairs.sum()}"
        lines.append(line)
    return pd.DataFrame(lines)


def load_changes(changes: pd.DataFrame) -> pd.DataFrame:
    """Return `changes_from_clean`: change, interval, both extremes of p, significant or not."""
    return cells(
        changes, VLM, METRIC, Column("condition", "condition"),
        Column("change", "change", interval=("low", "high")),
        Column("pictures", "images", form=lambda count: number(count, 0, sign=True)),
        Column("smallest p", "p_low", form=p_value), Column("largest p", "p_high", form=p_value),
        Column("significant", "significant"),
    )  # fmt: skip


def load_significant(changes: pd.DataFrame, between: pd.DataFrame) -> pd.DataFrame:
    """Return how many differences are significant: changes from clean, and VLM against VLM."""
    lines = []
    for frame in (changes, between):
        keys = [c for c in ("vlm", "other", "metric") if c in frame]
        for names, rows in frame.groupby(keys, sort=False):
            first, *second = printed_names(names[:-1])
            counts = rows.significant.value_counts()
            lines.append(
                {
                    "difference": f"{second[0]} − {first}" if second else f"{first}, from clean",
                    "column": COLUMNS[names[-1]],
                    "cells": str(len(rows)),
                    "largest": number(rows.change[rows.change.abs().idxmax()], sign=True),
                    "whatever the pairing": str(counts.get("yes", 0)),
                    "depends on it": str(counts.get("depends", 0)),
                    "under none": str(counts.get("no", 0)),
                }
            )
    return pd.DataFrame(lines)


def load_safety_answers(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `safety_answers`: shares, counts, and accuracy among the answers that decide."""
    of_decided = [
        "–" if pd.isna(g) else f"{g} of {g + w}"
        for g, w in zip(frame.n_right, frame.n_wrong, strict=True)
    ]
    return cells(
        frame.assign(of_decided=of_decided), Column("condition", "condition"),
        Column("no decision", "abstained"), Column("decided, wrong", "wrong"),
        Column("decided, right", "right"), Column("right of decided", "of_decided"),
        Column("accuracy if decided", "accuracy", interval=("low", "high")),
        Column("p against ½", "p", form=p_value),
    )  # fmt: skip
