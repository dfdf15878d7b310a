"""What carries over: the same findings in several worlds and in the printed tables, side by side.

A finding is a set of comparisons, each with a sign: above zero, below zero, or open where the 95 %
interval holds zero. Two worlds agree on a comparison if both decide it alike. Printed changes come
without an interval and count by their sign alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from vlmis_utils.analysis.claims import CLAIMS, Claim, claim_cells
from vlmis_utils.analysis.claims.decision import VERDICTS, Cell, judge, verdict
from vlmis_utils.analysis.claims.sources import PrintedTables, Run
from vlmis_utils.analysis.paper import tables
from vlmis_utils.analysis.worlds import World
from vlmis_utils.statistics import correlation
from vlmis_utils.statistics.intervals import interval_sign

__all__ = [
    "PRINTED", "agreement", "as_signs", "claims_by_world", "findings", "rankings", "tallies",
    "warning_models", "warning_signs",
]  # fmt: skip

PRINTED = "printed tables"
_METRICS = ("hr", "cor", "smr")
_COLUMNS = ["finding", "over", "key", "world", "value", "sign"]


def findings(worlds: Mapping[str, World]) -> pd.DataFrame:
    """Return every comparison of every headline finding, in every world and as printed.

    Args:
        worlds: from `analysis.worlds.open_worlds`.

    Returns:
        finding: ``miou`` (its loss), ``hr``, ``cor``, ``smr`` (their rise), or ``r hr``, ``r cor``,
        ``r smr`` (Spearman's correlation with mIoU); over (the level of a correlation, else "");
        key (models and condition); world; value; sign: 1, -1, or 0 for open.
    """
    parts = []
    for name, world in worlds.items():
        lost = world.summary("quality_changes").assign(metric="miou")
        moved = world.summary("misalignment_changes")
        moved = moved[(moved.condition != "blank") & moved.metric.isin(_METRICS)]
        found = world.summary("correlations")
        found = found[(found.method == "spearman") & found.r.notna()]
        parts += [
            _rows(lost, name, "delta", ["segmenter", "condition"]),
            _rows(moved, name, "delta", ["vlm", "condition"]),
            _rows(found.assign(metric="r " + found.metric), name, "r", ["segmenter", "vlm"]),
        ]
    return pd.concat([*parts, _printed()], ignore_index=True)


def _rows(frame: pd.DataFrame, world: str, value: str, key: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "finding": frame.metric,
            "over": frame.get("over", pd.Series("", frame.index)),
            "key": frame[list(key)].agg(" ".join, axis=1) if len(frame) else [],
            "world": world,
            "value": frame[value],
            "sign": interval_sign(frame.low, frame.high),
        },
        columns=_COLUMNS,
    )


def _printed() -> pd.DataFrame:
    """Return the comparisons that the printed tables allow."""
    pairs = tables.pairs()
    rows = []
    for metric, model in (("miou", "segmenter"), *((m, "vlm") for m in _METRICS)):
        for name, own in pairs.groupby(model, sort=False):
            values = own.drop_duplicates("condition").set_index("condition")[metric]
            change = (values - values["clean"]).drop("clean").round(9)
            change = -change if metric == "miou" else change
            rows += [(metric, "", f"{name} {c}", v, np.sign(v)) for c, v in change.items()]
    for (segmenter, vlm), own in pairs.groupby(["segmenter", "vlm"], sort=False):
        for metric in _METRICS:
            r = correlation(own.miou, own[metric], "spearman")
            sign = interval_sign(np.array([r["low"]]), np.array([r["high"]]))[0]
            rows.append((f"r {metric}", "conditions", f"{segmenter} {vlm}", r["r"], sign))
    frame = pd.DataFrame(rows, columns=[c for c in _COLUMNS if c != "world"])
    return frame.assign(world=PRINTED)[_COLUMNS]


def warning_signs(worlds: Mapping[str, World]) -> pd.DataFrame:
    """Return the AUC of every signal that needs no truth, in every world.

    Args:
        worlds: from `analysis.worlds.open_worlds`.

    Returns:
        finding (the failure); over (empty); signal; vlm (`warnings.single.MEAN` for the mean over
        VLMs); key (signal and vlm); world; value (AUC) with low and high; sign: 1 where the
        interval lies above 0.5, -1 below, 0 for open.
    """
    parts = [world.summary("signals").assign(world=name) for name, world in worlds.items()]
    found = pd.concat(parts, ignore_index=True)
    found = found.rename(columns={"target": "finding", "auc": "value"})
    return found.assign(over="", key=found.signal + " " + found.vlm)


def warning_models(worlds: Mapping[str, World]) -> pd.DataFrame:
    """Return the AUC of all signals together in every world, as `warnings.evaluation.model_aucs`.

    Args:
        worlds: from `analysis.worlds.open_worlds`.
    """
    parts = [w.summary("signals_together").assign(world=name) for name, w in worlds.items()]
    return pd.concat(parts, ignore_index=True)


def tallies(found: pd.DataFrame) -> pd.DataFrame:
    """Return finding, over, world, up, down, open, n: how comparisons of `findings` come out."""
    groups = found.groupby(["finding", "over", "world"], sort=False).sign
    counts = groups.agg(
        up=lambda s: int((s > 0).sum()), down=lambda s: int((s < 0).sum()), n="size"
    )
    return counts.assign(open=counts.n - counts.up - counts.down).reset_index()


def agreement(found: pd.DataFrame) -> pd.DataFrame:
    """Return how two worlds agree on the comparisons that both have.

    Args:
        found: from `findings`, or any frame with finding, over, key, world and sign.

    Returns:
        finding, over, first, second (worlds), n (comparisons of both), same and opposite (decided
        by both), half (decided by one), neither; differ, the keys decided the opposite way.
    """
    rows = []
    worlds = list(dict.fromkeys(found.world))
    for (finding, over), own in found.groupby(["finding", "over"], sort=False):
        signs = own.pivot(index="key", columns="world", values="sign")
        for first, second in itertools.combinations([w for w in worlds if w in signs], 2):
            both = signs[[first, second]].dropna()
            a, b = both[first], both[second]
            opposite = a * b < 0
            rows.append(
                {
                    "finding": finding, "over": over, "first": first, "second": second,
                    "n": len(both), "same": int((a * b > 0).sum()), "opposite": int(opposite.sum()),
                    "half": int(((a == 0) != (b == 0)).sum()),
                    "neither": int(((a == 0) & (b == 0)).sum()),
                    "differ": tuple(both.index[opposite]),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def rankings(found: pd.DataFrame) -> pd.DataFrame:
    """Return how alike two worlds order the degraded conditions, for each model and measure.

    Args:
        found: from `findings`.

    Returns:
        finding, model, first, second (worlds), n (conditions of both), r (Spearman's coefficient of
        the mean changes; NaN where one does not vary).
    """
    rows = []
    worlds = list(dict.fromkeys(found.world))
    moved = found[found.over == ""]
    names = moved.key.str.split(" ", n=1, expand=True)
    moved = moved.assign(model=names[0], condition=names[1]) if len(moved) else moved
    for (finding, model), own in moved.groupby(["finding", "model"], sort=False):
        values = own.pivot(index="condition", columns="world", values="value")
        for first, second in itertools.combinations([w for w in worlds if w in values], 2):
            both = values[[first, second]].dropna()
            r = correlation(both[first], both[second], "spearman")["r"]
            rows.append((finding, model, first, second, len(both), r))
    return pd.DataFrame(rows, columns=["finding", "model", "first", "second", "n", "r"])


def claims_by_world(
    worlds: Mapping[str, World], labels: Mapping[str, str], claims: Sequence[Claim] = CLAIMS
) -> pd.DataFrame:
    """Judge every claim about the world on the printed tables and in every world.

    Args:
        worlds: from `analysis.worlds.open_worlds`.
        labels: model name to label.
        claims: which; those about the paper's own numbers are left out.

    Returns:
        One row a claim: claim (a `Claim`); for each source, the printed tables first, its verdict
        under its name and the frame of its cells under ``<name> cells``.
    """
    cells = {PRINTED: claim_cells(PrintedTables(), claims)}
    for name, world in worlds.items():
        kept = world.summaries is not None and claims is CLAIMS
        own = world.summary("claims") if kept else claim_cells(Run(world.results, labels), claims)
        cells[name] = own
    rows = []
    for place, claim in ((p, c) for p, c in enumerate(claims) if not c.tables_only):
        row: dict[str, object] = {"claim": claim}
        for name, frame in cells.items():
            own = frame[frame.claim == place].drop(columns="claim").to_dict("records")
            judged = judge(Cell(**cell) for cell in own)
            row[name], row[f"{name} cells"] = verdict(judged, claim.quantifier), judged
        rows.append(row)
    return pd.DataFrame(rows)


def as_signs(judged: pd.DataFrame, worlds: Sequence[str]) -> pd.DataFrame:
    """Return the verdicts of `claims_by_world` as `agreement` takes them: finding ``claims``."""
    sign = {VERDICTS[0]: 1, VERDICTS[1]: -1, VERDICTS[2]: 0}
    return pd.concat(
        pd.DataFrame(
            {"finding": "claims", "over": "", "key": [str(i + 1) for i in range(len(judged))],
             "world": world, "value": np.nan, "sign": judged[world].map(sign)}
        )
        for world in worlds
    )  # fmt: skip
