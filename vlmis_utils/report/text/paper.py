"""Sentences about the printed tables as tables: their sums, cells, order, digits, and the text.

Each function yields the fields of a `report.text.paper_summary.Finding`. A command ending in
``(n)`` is one that the number of pictures goes into.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vlmis_utils.analysis.claims import judge_tables
from vlmis_utils.analysis.paper import consistency, grim
from vlmis_utils.analysis.paper.tables import NAMES_AND_SCALES, PRINTED_NAMES, drops, levels
from vlmis_utils.core.formatting import listing, number, value_range

__all__ = ["of_consistency", "of_digits", "of_text"]

_Parts = Iterator[tuple[str, str, str, str, str]]


def of_consistency(n: int, folder: str | Path) -> _Parts:
    means = consistency.class_means(folder)
    widest = means.loc[means.gap.abs().idxmax()]
    yield (
        "class-means", "Table 2: mean of the 19 class IoUs, and printed mIoU",
        f"They agree within rounding in {means.agrees.sum()} of {len(means)} conditions. The"
        f" largest gap is {number(widest.gap, sign=True)} percentage points"
        f" ({widest.condition}); numbers rounded to whole percent allow 1.",
        "paper.class_means()", "audit-consistency",
    )  # fmt: skip
    equal = consistency.table2_and_table3(folder)
    yield (
        "table2-table3", "mIoU of Table 2, and first column of Table 3",
        f"Equal in {equal.equal.sum()} of {len(equal)} conditions, once in percent and once as a"
        " fraction.",
        "paper.table2_and_table3()", "audit-consistency",
    )  # fmt: skip
    yield (
        "names", "Names and scales in tables, captions and text",
        f"{len(NAMES_AND_SCALES)} places differ, among them the first column of Table 3, headed"
        " DeepLabV3, which holds the mIoU that Table 2 gives for DeepLabV3+.",
        "paper.NAMES_AND_SCALES", "audit-consistency",
    )  # fmt: skip
    cells = consistency.equal_cells(folder)
    miou = cells[cells.column == "miou"].sort_values("equal", ascending=False, kind="stable")
    first, others = miou.iloc[0], miou.iloc[1:]
    pair = listing([PRINTED_NAMES[first["first"]], PRINTED_NAMES[first["second"]]])
    rare = consistency.coincidence(int(first.cells), int(first.equal), (5,))
    yield (
        "equal-cells", "Table 3: one segmenter with another",
        f"{pair} print the same mIoU to two decimals in {first.equal} of {first.cells} conditions"
        f" ({listing(first.conditions)}), the other pairs in {value_range(others.equal, 0)}. If two"
        " cells differed by −5 to 5 hundredths, each equally likely, so many would be equal with"
        f" probability {number(rare.p.iloc[0], 4)}.",
        "paper.equal_cells()", "audit-equal",
    )  # fmt: skip
    counts = consistency.step_counts(folder)
    three = counts[counts.table == 3]
    rows = consistency.steps(folder)
    rises = [
        f"{PRINTED_NAMES[r.model]} {r.start} to {r.end}"
        for r in rows[(rows.table == 3) & (rows.change > 0)].itertuples()
    ]
    yield (
        "monotone", "Table 3: mIoU from one severity to the next",
        f"Of {three.steps.sum()} steps {three.fall.sum()} fall, {three.equal.sum()} stay equal and"
        f" {three.rise.sum()} rise ({listing(rises)}).",
        "paper.step_counts()", "audit-steps",
    )  # fmt: skip
    single = counts[counts.column == "class IoU"]
    yield (
        "monotone-classes", "Table 2: class IoU from one severity to the next",
        f"Of {single.steps.sum()} steps {single.fall.sum()} fall, {single.equal.sum()} stay equal"
        f" and {single.rise.sum()} rise.",
        "paper.step_counts()", "audit-steps",
    )  # fmt: skip


def of_digits(n: int, folder: str | Path) -> _Parts:
    sizes = grim.size_of_columns(folder)
    whole = sizes[sizes.metric == "all"].iloc[0]
    fit = listing(whole.sizes, "no number")
    yield (
        "sample-size", "Tables 4 to 6: COR, SMR, parse success as shares of n images",
        f"Below 100, all {whole['values']} printed values are shares of n images for n = {fit};"
        " from 100 on any n fits. The smallest n that all but at most one value fit is"
        f" {whole.smallest_but_one}.",
        "paper.size_of_columns()", "audit-granularity",
    )  # fmt: skip
    missed = grim.misfits(n, folder)
    cells = [
        f"{r.metric.upper()} of {PRINTED_NAMES[r.vlm]} under {r.condition} is {number(r.value)},"
        f" between {number(r.below)} and {number(r.above)}"
        for r in missed.itertuples()
    ]
    yield (
        "misfits", f"Tables 4 to 6: values that {n} images cannot give",
        f"{len(missed)} of {whole['values']}: {listing(cells, 'none')}.",
        "paper.misfits(n)", "audit-granularity",
    )  # fmt: skip
    even = grim.even_hundredths(folder).set_index("metric")
    share, hr = even.drop("hr"), even.loc[["hr"]]
    yield (
        "even", "Tables 4 to 6: last digits",
        f"{share.even.sum()} of {share['values'].sum()} different values of COR, SMR and parse"
        f" success between 0 and 1 are even hundredths; of HR, {hr.even.sum()} of"
        f" {hr['values'].sum()}.",
        "paper.even_hundredths()", "audit-granularity",
    )  # fmt: skip
    out = grim.hr_grid(n, folder).groupby("top_k").misfits.sum()
    excluded, possible = ([f"K = {k}" for k in out.index[way]] for way in (out > 0, out == 0))
    yield (
        "hr-grid", "Tables 4 and 5: HR as wrong mentions among K n",
        f"With n = {n}, excluded: {listing(excluded)}; possible: {listing(possible)}. HR of free"
        " text lies on no grid.",
        "paper.hr_grid(n)", "audit-granularity",
    )  # fmt: skip


def of_text(n: int, folder: str | Path) -> _Parts:
    lost = drops(folder)
    mild = lost[lost.condition.str.endswith("1")]
    yield (
        "drops", "Table 3: drops of mIoU, which the abstract calls moderate",
        f"{value_range(lost.lost)} of mIoU, or {value_range(100 * lost.share, 0)} % of the clean"
        f" value; at severity 1 {value_range(mild.lost)}, or"
        f" {value_range(100 * mild.share, 0)} %.",
        "paper.drops()", "audit-text",
    )  # fmt: skip
    rates = levels(folder)
    rates = rates[rates.metric != "parse_success"]
    parts = [
        f"{metric.upper()} {listing(number(v) for v in g.clean)} on clean images and"
        f" {listing(number(v) for v in g.degraded)} on degraded ones"
        for metric, g in rates.groupby("metric", sort=False)
    ]
    yield (
        "levels", "Tables 4 to 6: clean value, and mean of the degraded conditions",
        f"For {listing(PRINTED_NAMES[v] for v in rates.vlm.unique())}: {'; '.join(parts)}.",
        "paper.levels()", "audit-text",
    )  # fmt: skip
    held = judge_tables(folder)
    agrees = held.verdict == "supported"
    against = [f"“{r.clause}” ({r.holds} of {r.cases})" for r in held[~agrees].itertuples()]
    yield (
        "statements", "Sentences of the text about its tables",
        f"By the rules of the page {agrees.sum()} of {len(held)} agree with the cells. Those"
        f" that do not: {'; '.join(against) or 'none'}.",
        "claims.judge_tables()", "audit-text",
    )  # fmt: skip
