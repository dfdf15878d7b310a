"""Which signals warn in several worlds, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.carry_over import agreement
from vlmis_utils.analysis.warnings.signals import TARGETS
from vlmis_utils.analysis.warnings.single import MEAN
from vlmis_utils.analysis.worlds import World
from vlmis_utils.core.formatting import capital, listing
from vlmis_utils.report.tables.carry_over import signal_words

__all__ = ["left_out", "signal_agreement", "signals_that_hold"]


def left_out(found: pd.DataFrame, worlds: Mapping[str, World]) -> str:
    """Return which signals only some worlds have, and why.

    Args:
        found: from `analysis.carry_over.warning_signs`.
        worlds: from `analysis.worlds.open_worlds`.
    """
    if found.empty:
        return "No failure can be predicted in these records."
    known = found.groupby("world", sort=False).signal.agg(set)
    lacking: dict[tuple[str, ...], list[str]] = {}
    for world, own in known.items():
        names = tuple(s for s in dict.fromkeys(found.signal) if s not in own)
        if names:
            lacking.setdefault(names, []).append(world)
    if not lacking:
        return "All worlds have the same signals."
    said = (
        f"{listing(places)} {'lack' if len(places) > 1 else 'lacks'} {_named(names)}"
        for names, places in lacking.items()
    )
    kept = any(worlds[place].kept for places in lacking.values() for place in places)
    why = ": records that are kept hold no label maps and no embeddings" if kept else ""
    return f"Signals that only some worlds have are not compared. {'; '.join(said)}{why}."


def signal_agreement(found: pd.DataFrame) -> list[str]:
    """Return for every two worlds on how many pairs of signal and VLM they agree.

    Args:
        found: from `analysis.carry_over.warning_signs`.
    """
    agreed = agreement(found[found.vlm != MEAN])
    if agreed.empty:
        return []
    lines = []
    for (first, second), own in agreed.groupby(["first", "second"], sort=False):
        same, against, n = (int(own[c].sum()) for c in ("same", "opposite", "n"))
        if not n:
            continue
        each = (f"{TARGETS[r.finding]} {r.same} of {r.same + r.opposite}" for r in own.itertuples())
        lines.append(
            f"**{first} and {second}** decide {same + against} of {n} comparisons both, and agree "
            f"on {same} of them: {listing(each)}."
        )
    return lines


def signals_that_hold(found: pd.DataFrame) -> list[str]:
    """Return, for each failure, which signals warn in every world and which do not.

    By the mean over VLMs: a signal warns where the interval of its AUC lies above 0.5, and
    misleads where it lies below. Signals that a world lacks are left out, and so is mIoU.

    Args:
        found: from `analysis.carry_over.warning_signs`.
    """
    rows = found[(found.vlm == MEAN) & (found.signal != "miou")]
    lines = []
    for target, own in rows.groupby("finding", sort=False):
        signs = own.pivot(index="signal", columns="world", values="sign")
        signs = signs.reindex(dict.fromkeys(own.signal)).dropna()
        if signs.shape[1] < 2:
            continue
        up, down = (signs > 0).sum(axis=1), (signs < 0).sum(axis=1)
        every, both = up == signs.shape[1], (up > 0) & (down > 0)
        some = (up > 0) & ~every & ~both
        lines.append(
            f"**{capital(TARGETS[target])}**: {int(every.sum())} of {len(signs)} signals warn in "
            f"every world{_colon(signs.index[every])}; {int(both.sum())} warn in one and "
            f"mislead in another, {int(some.sum())} warn in some and are open elsewhere, and "
            f"{int((up == 0).sum())} warn in none."
        )
    return lines


def _colon(signals: Sequence[str]) -> str:
    return f": {_named(signals)}" if len(signals) else ""


def _named(signals: Sequence[str]) -> str:
    return listing(f"“{signal_words(signal)}”" for signal in signals)
