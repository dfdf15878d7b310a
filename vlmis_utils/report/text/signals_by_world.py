"""Which signals warn in several worlds, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.warnings.signals import TARGETS
from vlmis_utils.analysis.warnings.single import MEAN
from vlmis_utils.analysis.worlds import World
from vlmis_utils.core.formatting import capital, listing, number
from vlmis_utils.report.tables.carry_over import signal_words
from vlmis_utils.report.text.warnings import unseen

__all__ = ["left_out", "signals_that_hold", "together"]


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


def together(models: pd.DataFrame) -> list[str]:
    """Return, for each world, what all signals together are worth, and on corruptions never seen.

    Args:
        models: from `analysis.carry_over.warning_models`.
    """
    lines = []
    for world, own in models.groupby("world", sort=False):
        known = own[own.protocol == "new scenes"]
        line = f"**{world}**: on new scenes the mean AUC is {number(known.auc.mean())}, with "
        line += f"{int((known.low > 0.5).sum())} of {len(known)} intervals above 0.5. "
        lines.append(line + unseen(own))
    return lines


def _colon(signals: Sequence[str]) -> str:
    return f": {_named(signals)}" if len(signals) else ""


def _named(signals: Sequence[str]) -> str:
    return listing(f"“{signal_words(signal)}”" for signal in signals)
