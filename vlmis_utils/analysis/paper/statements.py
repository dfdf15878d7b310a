"""Sentences of the paper that speak of its own tables, each held against the cells it speaks of.

A sentence becomes a rule that says which cases it is about, when a case agrees, and how many must:
all, most (more than half), several (two) or one. Where the paper gives no bound ("near zero",
"high"), the bound is ours, stands here as a constant, and is named in the rule. What the paper says
of correlations is in `analysis.paper.correlations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from vlmis_utils.analysis.paper.printed import Printed
from vlmis_utils.analysis.paper.tables import PRINTED_NAMES, PUBLISHED
from vlmis_utils.core.formatting import listing, number
from vlmis_utils.protocol.conditions import FAMILIES

__all__ = ["statements"]

NEAR_ZERO = 0.05  # IoU, for "near zero"
SMALL = 0.05  # |ΔmIoU|, for "small changes"
LARGE = 0.10  # ΔL, for "large increases"
SATURATED = 0.95  # SMR, for "saturation"

HIGH = 0.75  # COR, for "high"

# Safety-critical as named in Sections 3.4 and 6.1 and the caption of Table 2, if c1 to c19 are the
# train ids in their standard order.
_CRITICAL = ("person", "rider", "bicycle", "traffic sign", "traffic light")
# Numbers that Section 6.1 quotes: segmenter, condition, mIoU.
_QUOTED = (
    ("deeplabv3plus", "clean", 0.77), ("segformer", "clean", 0.66), ("mask2former", "clean", 0.64),
    ("deeplabv3plus", "LL3", 0.26), ("segformer", "LL3", 0.26),
)  # fmt: skip

_Checked = tuple[tuple[int, int], str]


def _of(agrees: Iterable[bool]) -> tuple[int, int]:
    found = [bool(a) for a in agrees]
    return sum(found), len(found)


def _range(values: Iterable[float], sign: bool = False) -> str:
    values = list(values)
    return f"{number(min(values), sign=sign)} to {number(max(values), sign=sign)}"


def _quoted(p: Printed) -> _Checked:
    cells = [p.miou.loc[m, c] for m, c, _ in _QUOTED]
    agrees = _of(abs(a - q[2]) < 1e-9 for a, q in zip(cells, _QUOTED, strict=True))
    return agrees, listing(number(c) for c in cells)


def _monotone(p: Printed) -> _Checked:
    rows = p.steps[p.steps.table == 3]
    against = [
        f"{PRINTED_NAMES[r.model]} {r.start} to {r.end} {number(r.change, sign=True)}"
        for r in rows[rows.change >= 0].itertuples()
    ]
    return _of(rows.change < 0), f"not falling: {listing(against)}"


def _mild(p: Printed) -> _Checked:
    change = p.miou[[f"{f}1" for f in FAMILIES]].sub(p.miou["clean"], axis=0)
    return _of((change.round(9) < 0).to_numpy().ravel()), "changes of mIoU " + listing(
        f"{PRINTED_NAMES[m]} {_range(row, sign=True)}" for m, row in change.iterrows()
    )


def _low_light(p: Printed) -> _Checked:
    worst = p.miou[[f"{f}3" for f in FAMILIES]]
    found = [f"{PRINTED_NAMES[m]} {row.idxmin()}" for m, row in worst.iterrows()]
    return _of(worst.idxmin(axis=1) == "LL3"), f"lowest at severity 3: {listing(found)}"


def _gradual(p: Printed) -> _Checked:
    rows = p.steps[p.steps.table == 3]
    steepest = rows.groupby(["model", "family"]).change.min().unstack()
    agrees = [
        row[other] > row["LL"] + 1e-9
        for _, row in steepest.iterrows()
        for other in steepest.columns.drop("LL")
    ]
    cells = [
        f"{PRINTED_NAMES[m]} {', '.join(f'{f} {number(v)}' for f, v in row.items())}"
        for m, row in steepest.loc[p.miou.index].iterrows()
    ]
    return _of(agrees), f"steepest step: {'; '.join(cells)}"


def _near_zero(p: Printed) -> _Checked:
    low = p.classes[["LL3", "OCC3"]] <= NEAR_ZERO + 1e-9
    cells = p.classes.loc[list(_CRITICAL), ["LL3", "OCC3"]]
    words = listing(f"{c} {number(r.iloc[0])}, {number(r.iloc[1])}" for c, r in cells.iterrows())
    whole = f"of all classes {int(low.sum().sum())} of {low.size} cells"
    return _of(low.loc[list(_CRITICAL)].to_numpy().ravel()), f"{words}; {whole}"


def _disproportionate(p: Printed) -> _Checked:
    left = p.classes.drop(columns="clean").div(p.classes["clean"], axis=0)
    others = left.drop(list(_CRITICAL)).mean()
    critical = left.loc[list(_CRITICAL)].mean()
    words = (
        f"left on average {number(critical.mean())} of the critical, {number(others.mean())} of the"
        " other classes"
    )
    return _of(critical < others), words


def _notable(p: Printed) -> _Checked:
    change = p.rates.loc[("clip", "hr")].sub(p.rates.loc[("clip", "hr"), "clean"]).round(9)
    change = change[[c for c in change.index if c[:2] in ("LL", "MB")]]
    return _of(change > 0), f"changes {_range(change, sign=True)}"


def _substantial(p: Printed) -> _Checked:
    mine = p.rates.loc["clip"].drop("parse_success", errors="ignore")
    change = mine.drop(columns="clean").sub(mine["clean"], axis=0).round(9)
    cells = [
        f"{metric.upper()} up {(row > 0).sum()}, equal {(row == 0).sum()}, down {(row < 0).sum()}"
        for metric, row in change.loc[["hr", "cor", "smr"]].iterrows()
    ]
    return _of((change > 0).to_numpy().ravel()), "; ".join(cells)


def _not_monotone(p: Printed) -> _Checked:
    rows = p.steps[(p.steps.model == "clip") & (p.steps.column == "smr")]
    ways = rows.groupby("family", sort=False).change.agg(["min", "max"])
    cells = listing(
        f"{family} {'rises' if low >= 0 else 'falls' if high <= 0 else 'turns'}"
        for family, low, high in ways.itertuples()
    )
    return _of(ways["min"] < 0), f"over severity: {cells}"


def _high(p: Printed) -> _Checked:
    cor = p.rates.loc[[("clip", "cor"), ("siglip", "cor")]]
    cells = [f"{PRINTED_NAMES[vlm]} {_range(row)}" for (vlm, _), row in cor.iterrows()]
    return _of((cor >= HIGH - 1e-9).to_numpy().ravel()), listing(cells)


def _lower_hr(p: Printed) -> _Checked:
    gap = (p.rates.loc[("clip", "hr")] - p.rates.loc[("siglip", "hr")]).round(9)
    return _of(gap > 0), f"CLIP minus SigLIP {_range(gap)}"


def _particularly(p: Printed) -> _Checked:
    gap = (p.rates.loc[("clip", "hr")] - p.rates.loc[("siglip", "hr")]).round(9)
    own = p.rates.loc[("siglip", "hr")]
    mean, level = (
        {f: row[[c for c in row.index if c.startswith(f)]].mean() for f in FAMILIES}
        for row in (gap, own)
    )
    gaps, levels = (listing(f"{f} {number(v, 3)}" for f, v in row.items()) for row in (mean, level))
    agrees = _of(mean["OCC"] > v for f, v in mean.items() if f != "OCC")
    return agrees, f"mean gap: {gaps}; mean HR of SigLIP itself: {levels}"


def _exceeds(p: Printed) -> _Checked:
    smr = p.rates.loc[("siglip", "smr")]
    return _of(smr > 0.7), _range(smr)


def _lower_qwen(metric: str) -> Callable[[Printed], _Checked]:
    def check(p: Printed) -> _Checked:
        others = p.rates.loc[[("clip", metric), ("siglip", metric)]].min()
        lower = p.rates.loc[("qwen2-vl", metric)] < others - 1e-9
        return _of(lower), f"lower than both under {listing(lower.index[lower])}"

    return check


def _saturated(p: Printed) -> _Checked:
    smr = p.rates.loc[("qwen2-vl", "smr")]
    return _of(smr >= SATURATED), _range(smr)


def _small_and_large(p: Printed) -> _Checked:
    small = p.miou.drop(columns="clean").sub(p.miou["clean"], axis=0).abs() <= SMALL + 1e-9
    rates = p.rates.drop(index="parse_success", level="metric", errors="ignore")
    large = rates.drop(columns="clean").sub(rates["clean"], axis=0) >= LARGE - 1e-9
    found = large.T.to_numpy()[None] & small.to_numpy()[:, :, None]
    cells = f"{int(small.sum().sum())} of {small.size} changes of mIoU are small"
    return (int(found.sum()), int(small.sum().sum()) * len(rates)), cells


_RULES: tuple[tuple[str, str, str, str, Callable[[Printed], _Checked]], ...] = (
    ("Section 6.1", "mIoU on clean pictures, and under LL3",
     "the quoted number is the cell of Table 3", "all", _quoted),
    ("Figure 2, caption", "mIoU decreases monotonically with severity",
     "each step up in severity of Table 3 lowers mIoU", "all", _monotone),
    ("Section 6.1", "mild corruptions lead to moderate drops",
     "at severity 1, mIoU is below clean", "most", _mild),
    ("Section 6.1", "low light is particularly harmful: under LL3 …",
     "of the three conditions at severity 3, LL3 is lowest, by segmenter", "most", _low_light),
    ("Section 6.1", "motion blur and occlusion more gradual",
     "their steepest step is less steep than that of LL, by segmenter", "most", _gradual),
    ("Section 6.1", "several of these classes approach near-zero IoU",
     f"IoU of a critical class ≤ {number(NEAR_ZERO)} under LL3, OCC3", "several", _near_zero),
    ("Section 6.1", "safety-critical categories degrade disproportionately",
     "critical classes keep a smaller share of their clean IoU than the others on average, by"
     " condition", "most", _disproportionate),
    ("Section 6.2", "CLIP: HR increases notably under LL and MB",
     "HR is above clean", "most", _notable),
    ("Table 4, caption", "degradation substantially increases misalignment",
     "HR, COR or SMR of CLIP is above clean", "most", _substantial),
    ("Section 6.2", "CLIP: SMR is non-monotonic",
     "SMR does not rise throughout, by corruption", "one", _not_monotone),
    ("Section 6.2", "CLIP, SigLIP: COR remains high",
     f"COR ≥ {number(HIGH)}, by condition", "all", _high),
    ("Section 6.2", "SigLIP: lower HR overall than CLIP",
     "HR is lower, by condition", "all", _lower_hr),
    ("Section 6.2", "… particularly under occlusion",
     "the mean gap to CLIP is larger under OCC than under LL, under MB", "all", _particularly),
    ("Section 6.2", "SigLIP: SMR consistently exceeds 0.7",
     "SMR > 0.70, by condition", "all", _exceeds),
    ("Section 6.2", "Qwen2-VL: lower HR under several settings",
     "HR lower than CLIP's and SigLIP's, by condition", "several", _lower_qwen("hr")),
    ("Section 6.2", "Qwen2-VL: lower COR under several settings",
     "COR lower than CLIP's and SigLIP's, by condition", "several", _lower_qwen("cor")),
    ("Section 6.2", "Qwen2-VL: SMR approaches saturation",
     f"SMR ≥ {number(SATURATED)}, by condition", "most", _saturated),
    ("Figure 3, caption", "small changes in mIoU but large increases",
     f"where mIoU moves at most {number(SMALL)}, a metric rises by {number(LARGE)} or more, by"
     " segmenter, VLM, metric", "several", _small_and_large),
)  # fmt: skip


def statements(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Hold sentences of the paper against the cells that they speak of.

    Args:
        folder: of the printed tables.

    Returns:
        place; words (the paper's, shortened); rule (what a case is, and when it agrees); holds
        (cases that agree) of cases; needed (all, most, several, one); agrees: as many hold as are
        needed; cells (the numbers, in words).
    """
    tables = Printed.load(folder)
    rows = []
    for place, words, rule, needed, check in _RULES:
        (holds, cases), cells = check(tables)
        agrees = holds >= {"all": cases, "most": cases // 2 + 1, "several": 2, "one": 1}[needed]
        rows.append((place, words, rule, holds, cases, needed, agrees, cells))
    columns = ["place", "words", "rule", "holds", "cases", "needed", "agrees", "cells"]
    return pd.DataFrame(rows, columns=columns)
