"""What the pages about photographs say of their records, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.claims.decision import VERDICTS
from vlmis_utils.analysis.natural_light import DUSK, LADDER, Light
from vlmis_utils.analysis.results import BLANK
from vlmis_utils.analysis.worlds import World
from vlmis_utils.core.formatting import estimate, listing, number, value_range
from vlmis_utils.report.tables.carry_over import finding_words
from vlmis_utils.report.text.scenes import dataset_words
from vlmis_utils.report.text.sentences import NAMES
from vlmis_utils.statistics.intervals import interval_sign

__all__ = [
    "agreement_lines", "cover_line", "disagreements", "light_lines", "light_words", "origin",
    "ranking_lines", "verdict_lines",
]  # fmt: skip


def origin(world: World) -> str:
    """Return what the scenes of a world are and where their records come from."""
    words = dataset_words(world.results.scenes)
    if not world.kept:
        return f"The records are of this run: {words}."
    study = world.results.records.parent
    return (
        f"The photographs may not be passed on, so this page is made from the records that were "
        f"kept of them in `{study}`: {words}. No model ran for it, and no frame is shown; "
        f"`vlmis run params/{study.name}.yaml -p data_root DIR` measures it again."
    )


def agreement_lines(agreed: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return for each pair of worlds how often they agree, and on what they are opposed.

    Args:
        agreed: from `analysis.carry_over.agreement`.
        labels: model name to label.
    """
    lines = []
    for (first, second), own in agreed.groupby(["first", "second"], sort=False):
        if not own.n.sum():
            continue
        same, opposite = int(own.same.sum()), int(own.opposite.sum())
        line = (
            f"**{_start(first)} and {second}** decide {same + opposite} of {int(own.n.sum())} "
            f"comparisons both: {same} alike, {opposite} the opposite way"
        )
        against = [
            f"{finding_words(r.finding, r.over)} ({listing(_words(k, labels) for k in r.differ)})"
            for r in own.itertuples()
            if r.differ
        ]
        lines.append(f"{line}{': ' if against else ''}{'; '.join(against)}.")
    return lines


def ranking_lines(ranked: pd.DataFrame) -> list[str]:
    """Return for each measure how alike the worlds order the conditions.

    Args:
        ranked: from `analysis.carry_over.rankings`.
    """
    lines = []
    for finding, own in ranked.dropna(subset=["r"]).groupby("finding", sort=False):
        pairs = [
            f"{value_range(part.r)} between {first} and {second}"
            for (first, second), part in own.groupby(["first", "second"], sort=False)
        ]
        lines.append(f"**{NAMES[finding]}**: {'; '.join(pairs)}.")
    return lines


def verdict_lines(judged: pd.DataFrame, verdicts: pd.DataFrame, worlds: Sequence[str]) -> list[str]:
    """Return how many claims each world supports, and how often two worlds agree.

    Args:
        judged: from `analysis.carry_over.claims_by_world`.
        verdicts: from `analysis.carry_over.agreement`, of its signs.
        worlds: its columns of verdicts.
    """
    lines = []
    for world in worlds:
        counts = [int((judged[world] == word).sum()) for word in VERDICTS]
        lines.append(
            f"**{_start(world)}**: {counts[0]} of {len(judged)} claims supported, {counts[1]} "
            f"contradicted, {counts[2]} not decidable."
        )
    lines += [
        f"{_start(row.first)} and {row.second} decide {row.same + row.opposite} claims both, and "
        f"agree on {row.same}."
        for row in verdicts.itertuples()
    ]
    return lines


def disagreements(judged: pd.DataFrame, worlds: Sequence[str]) -> list[str]:
    """Return the claims that one world supports and another contradicts, with their cells.

    Args:
        judged: from `analysis.carry_over.claims_by_world`.
        worlds: its columns of verdicts.
    """
    lines = []
    for index, row in enumerate(judged.to_dict("records"), start=1):
        if not {VERDICTS[0], VERDICTS[1]} <= {row[world] for world in worlds}:
            continue
        parts = []
        for world in worlds:
            cells = row[f"{world} cells"]
            supports = int((cells.verdict == "supports").sum()) if len(cells) else 0
            against = int((cells.verdict == "contradicts").sum()) if len(cells) else 0
            counts = f"{supports} for and {against} against of {len(cells)} cells"
            parts.append(f"{world} {row[world]} ({counts})")
        lines.append(f"{index}, “{row['claim'].clause}”: {'; '.join(parts)}.")
    return lines or ["No claim is supported in one world and contradicted in another."]


def cover_line(worlds: Mapping[str, World]) -> str:
    """Return what became of the cover's findings on the photographs of which records are kept.

    Args:
        worlds: from `analysis.worlds.open_worlds`.
    """
    parts = []
    for name, world in worlds.items():
        if not world.kept:
            continue
        moved = world.summary("misalignment_changes")
        moved = moved[(moved.metric == "cor") & (moved.condition != BLANK)]
        found = world.summary("correlations")
        found = found[(found.metric == "smr") & (found.method == "spearman")]
        over, between = (found[found.over == o] for o in ("conditions", "between"))
        parts.append(
            f"on {len(world.results.scenes)} frames of {name} an object that matters is left out "
            f"more often in {int((moved.low > 0).sum())} of {len(moved)} pairs of model and "
            f"condition; a low mIoU goes with misjudged safety in {int((over.high < 0).sum())} of "
            f"{len(over)} pairs of models over the averages of the conditions, and in "
            f"{int((between.high < 0).sum())} of {len(between)} among the images of one"
        )
    if not parts:
        return ""
    return (
        "**And on photographs?** With models that saw photographs, counting what the 95 % "
        f"interval decides: {'; '.join(parts)}. "
        "{ref}`What carries over <photographs-carry-over>`."
    )


def light_words(light: Light | None) -> str:
    """Return how dark dusk is on the ladder of Table 1, or that it cannot be said."""
    if light is None:
        return (
            "These records lack day frames under LL1 to LL3, dusk frames, or their mean luma: the "
            "comparison cannot be computed."
        )
    luma = light.luma.set_index("light").luma
    darker = [c for c in LADDER if luma[c] < luma[DUSK]]
    brighter = [c for c in LADDER if luma[c] >= luma[DUSK]]
    size = f"The dusk frames have a mean luma of {number(luma[DUSK])}, the day frames "
    size += f"{number(luma['clean'])}"
    if not darker or not brighter:
        place = "darker than every rung" if not darker else "brighter than the day frames"
        return f"{size}: dusk is {place}, and no match can be read off."
    return f"{size}: dusk lies between {brighter[-1]} and {darker[0]} of the day frames."


def light_lines(light: Light | None, labels: Mapping[str, str]) -> list[str]:
    """Return for each measure where the changes by dusk and by Table 1 differ significantly."""
    if light is None:
        return []
    lines = []
    for measure, own in light.matched.dropna(subset=["difference"]).groupby("measure", sort=False):
        sign = interval_sign(own.difference_low, own.difference_high)
        alike = f"differ significantly for {int((sign != 0).sum())} of {len(own)} models"
        parts = [
            f"{labels.get(r.model, r.model)} "
            f"{estimate(r.difference, r.difference_low, r.difference_high, sign=True)}"
            for r, s in zip(own.itertuples(), sign, strict=True)
            if s
        ]
        more = f": {listing(parts)}" if parts else ""
        lines.append(f"**{NAMES[measure]}**: the changes by dusk and by Table 1 {alike}{more}.")
    return lines or ["No match can be read off."]


def _words(key: str, labels: Mapping[str, str]) -> str:
    return " ".join(labels.get(part, part) for part in key.split(" "))


def _start(words: str) -> str:
    return words[:1].upper() + words[1:]
