"""Tables of the photographs, beside the synthetic world and what the paper printed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from vlmis_utils.analysis.worlds import World
from vlmis_utils.core.formatting import listing, percent
from vlmis_utils.protocol.classes import CRITICAL_CLASSES, OBJECT_CLASSES
from vlmis_utils.records.kept import KEPT
from vlmis_utils.report.tables.markdown import Column, cells, crossed, span
from vlmis_utils.report.text.scenes import dataset_words

__all__ = [
    "ENOUGH", "full_size_words", "load_full_size", "load_label_agreement", "load_label_constants",
    "load_label_noise", "load_prevalence", "load_worlds", "prevalence", "read_full_size", "stacked",
]  # fmt: skip

# Scenes with, and scenes without, a class that it takes to say how well its presence is told.
ENOUGH = 20
_SPAN = re.compile(r" ?\[[^\]]*\]\{\.[a-z]+\}")


def load_worlds(worlds: Mapping[str, World]) -> pd.DataFrame:
    """Return world, its scenes, the share unsafe, and where its records are from."""
    rows = [
        {
            "world": name,
            "scenes": dataset_words(world.results.scenes),
            "unsafe": percent((~world.results.scenes.safe).mean()),
            "records": "kept in `book/measured`" if world.kept else "of this run",
        }
        for name, world in worlds.items()
    ]
    return pd.DataFrame(rows)


def prevalence(worlds: Mapping[str, World]) -> pd.DataFrame:
    """Return world, class, positives, n, judged: in how many scenes each object class is present.

    ``judged`` is whether `ENOUGH` scenes have the class and `ENOUGH` have not. Classes that a
    world's labels do not know are left out.
    """
    rows = []
    for name, world in worlds.items():
        truth = world.results.truth
        present = truth[truth.condition == "clean"].present
        for each in (c for c in OBJECT_CLASSES if c in world.results.annotated):
            positives, n = sum(each in classes for classes in present), len(present)
            judged = min(positives, n - positives) >= ENOUGH
            rows.append((name, each, positives, n, judged))
    return pd.DataFrame(rows, columns=["world", "class", "positives", "n", "judged"])


def load_prevalence(found: pd.DataFrame) -> pd.DataFrame:
    """Return a row a class and a column a world: the share of scenes that hold the class.

    Args:
        found: from `prevalence`.
    """
    shown = [
        f"{percent(row.positives / row.n)} {span(f'{row.positives} of {row.n}', 'interval')}"
        + ("" if row.judged else f" {span('not judged', 'interval')}")
        for row in found.itertuples()
    ]
    table = found.assign(cell=shown).pivot(index="class", columns="world", values="cell")
    table = table.reindex([c for c in OBJECT_CLASSES if c in table.index])
    table.index = [f"**{c}**" if c in CRITICAL_CLASSES else c for c in table.index]
    columns = list(dict.fromkeys(found.world))
    return table[columns].fillna("no label").rename_axis("class").reset_index()


def read_full_size(root: str | Path = KEPT) -> pd.DataFrame:
    """Return ``full-size.csv``, what was measured at full size; no rows where nothing was."""
    path = Path(root) / "full-size.csv"
    return pd.read_csv(path, dtype={"digest": str}) if path.exists() else pd.DataFrame()


def full_size_words(rows: pd.DataFrame, labels: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Return how far our IoU is from the official evaluator's, and what times and IoU are of.

    Args:
        rows: from `read_full_size`.
        labels: model name to label.
        there: model name to the digest of the checkpoint that is here; others are taken as told.
    """
    if rows.empty:
        return "This has not been measured yet."
    machine, gap = rows.machine.iloc[0], rows.largest_gap.max()
    apart = f"is within {gap:.0e} of" if gap else "equals"
    scored = rows.dropna(subset=["miou"])
    own = scored[scored.model.isin(there)]
    stale = dict.fromkeys(own[own.digest != own.model.map(there)].model)
    earlier = (
        f" The mIoU of {listing(labels.get(m, m) for m in stale)} is that of an earlier checkpoint;"
        " parity, time and memory do not depend on the weights."
        if stale
        else ""
    )
    return (
        f"The IoU of every class {apart} that of the official evaluator, under all "
        f"{scored.condition.nunique()} conditions, for "
        f"{listing(labels.get(m, m) for m in scored.model.unique())}.{earlier} Times and memory "
        f"are of {machine}; the models bring a frame to the size that they were trained at, so "
        "time goes to corruption, resizing and counting as well."
    )


def load_full_size(rows: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return, by model, mIoU beside the official evaluator's, processor time and memory.

    Args:
        rows: of ``full-size.csv``: model, frames, cpu_seconds, mib and, of segmenters, a row a
            condition with miou, official_miou, largest_gap.
        labels: model name to label.
    """
    clean = rows[(rows.condition == "clean") | rows.condition.isna()].set_index("model")
    gaps = rows.groupby("model", sort=False).largest_gap.max()
    table = clean.assign(gap=gaps, name=[labels.get(m, m) for m in clean.index])
    return cells(
        table.loc[gaps.index],
        Column("model", "name"),
        Column("frames", "frames", digits=0),
        Column("mIoU, clean", "miou", digits=4),
        Column("official mIoU, clean", "official_miou", digits=4),
        Column(
            "largest gap of a class, all conditions", "gap",
            form=lambda v: "–" if pd.isna(v) else f"{v:.0e}" if v else "0",
        ),
        Column("processor s an image", "cpu_seconds"),
        Column("peak memory, MiB", "mib", digits=0),
    )  # fmt: skip


def load_label_agreement(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rule, against what, and each measure with its interval.

    Args:
        rows: of ``label_agreement.csv``: rule, against, measure, value, low, high.
    """
    lead = [Column("rule", "rule"), Column("against", "against")]
    return crossed(rows, lead, "measure", Column("", "value", interval=("low", "high")))


def load_label_constants(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each change of the rule: how many labels turn safe, and how many unsafe.

    Args:
        rows: of ``book/measured/label-constants.csv``.
    """
    return cells(
        rows, Column("change", "change"), Column("turn safe", "turns_safe"),
        Column("turn unsafe", "turns_unsafe"),
    )  # fmt: skip


def load_label_noise(rows: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return VLM, condition, SMR, and SMR if some of the safe labels were wrong.

    Args:
        rows: of `analysis.label_noise.smr_with_misses`.
        labels: vlm -> name shown.
    """
    return cells(
        rows, Column("model", "vlm", words=labels), Column("condition", "condition"),
        Column("SMR", "smr"), Column("SMR with misses", "with_misses", interval=True),
    )  # fmt: skip


def stacked(table: pd.DataFrame, others: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return finished cells with, below each, the value that the same cell has elsewhere.

    Args:
        table: finished cells, the first column naming the row.
        others: what to call them -> tables of the same kind; intervals and printed values of them
            are left out, and so are rows and columns that ``table`` lacks.

    >>> here = pd.DataFrame({"condition": ["clean"], "CLIP": ["0.5 [0.4 to 0.6]{.interval}"]})
    >>> stacked(here, {"there": here}).CLIP[0]
    '0.5 [0.4 to 0.6]{.interval} [there 0.5]{.interval}'
    """
    first, result = table.columns[0], table.copy()
    for name, other in others.items():
        known = other.set_index(other.columns[0])
        for column in (c for c in table.columns[1:] if c in known):
            plain = known[column].astype(str).str.replace(_SPAN, "", regex=True).str.strip()
            below = [plain.get(row, "") for row in table[first]]
            result[column] = [
                f"{cell} {span(f'{name} {value}', 'interval')}" if value not in ("", "–") else cell
                for cell, value in zip(result[column], below, strict=True)
            ]
    return result
