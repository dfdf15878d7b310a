"""Where worlds disagree: models of claims, opposite changes, and rates that cannot move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.claims.decision import VERDICTS
from vlmis_utils.analysis.worlds import World

__all__ = ["disputed", "opposed", "unmoved"]


def disputed(judged: pd.DataFrame, worlds: Sequence[str]) -> pd.DataFrame:
    """Return, of claims that one world supports and another contradicts, who disagrees on what.

    Args:
        judged: from `analysis.carry_over.claims_by_world`.
        worlds: its columns of verdicts.

    Returns:
        number (of the claim, from 1), claim, model, supports and contradicts (worlds), what (the
        comparisons): a row for each model whose comparisons some world supports and another
        contradicts, and for each way in which they do.
    """
    rows = []
    for number, row in enumerate(judged.to_dict("records"), start=1):
        if not {VERDICTS[0], VERDICTS[1]} <= {row[world] for world in worlds}:
            continue
        groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
        sides: dict[tuple[str, str], dict[str, str]] = {}
        for world in worlds:
            for cell in row[f"{world} cells"].itertuples():
                sides.setdefault((cell.model, cell.what), {})[world] = cell.verdict
        for (model, what), found in sides.items():
            pro, contra = (
                tuple(w for w, side in found.items() if side == word)
                for word in ("supports", "contradicts")
            )
            if pro and contra:
                groups.setdefault((model, pro, contra), []).append(what)
        rows += [
            {"number": number, "claim": row["claim"], "model": model, "supports": pro,
             "contradicts": contra, "what": tuple(what)}
            for (model, pro, contra), what in groups.items()
        ]  # fmt: skip
    columns = ["number", "claim", "model", "supports", "contradicts", "what"]
    return pd.DataFrame(rows, columns=columns)


def opposed(found: pd.DataFrame, worlds: Mapping[str, World]) -> pd.DataFrame:
    """Return the changes of HR, COR and SMR that two measured worlds decide the opposite way.

    Args:
        found: from `analysis.carry_over.findings`.
        worlds: the measured ones.

    Returns:
        finding, model, conditions; rises and falls, the worlds; for each of these the rate
        (``<side>_clean``, ``<side>_then``, the mean over the conditions) and the classes mentioned
        a picture (``<side>_named``, ``<side>_named_then``).
    """
    rows = []
    moved = found[(found.over == "") & found.finding.isin(("hr", "cor", "smr"))]
    moved = moved[moved.world.isin(list(worlds))]
    names = moved.key.str.rsplit(" ", n=1)
    moved = moved.assign(model=names.str[0], condition=names.str[-1])
    for (finding, model), own in moved.groupby(["finding", "model"], sort=False):
        signs = own.pivot(index="condition", columns="world", values="sign")
        for up in signs:
            for down in signs:
                both = signs[(signs[up] > 0) & (signs[down] < 0)].index
                if not len(both):
                    continue
                row = {"finding": finding, "model": model, "conditions": tuple(both),
                       "rises": up, "falls": down}  # fmt: skip
                for side in ("rises", "falls"):
                    rates = worlds[row[side]].summary("language").query("vlm == @model")
                    rates = rates.set_index("condition")
                    row |= {
                        f"{side}_clean": rates[finding]["clean"],
                        f"{side}_then": rates[finding][list(both)].mean(),
                        f"{side}_named": rates.mentions["clean"],
                        f"{side}_named_then": rates.mentions[list(both)].mean(),
                    }
                rows.append(row)
    return pd.DataFrame(rows)


def unmoved(worlds: Mapping[str, World]) -> pd.DataFrame:
    """Return the rates that are the same under every condition, the blank image among them.

    Returns:
        world, model, metrics, known (object classes that the world's labels know), top_k.
    """
    rows = []
    for name, world in worlds.items():
        for model, own in world.summary("language").groupby("vlm", sort=False):
            same = [
                m for m in ("hr", "cor", "smr") if len(own) > 1 and own[m].round(9).nunique() == 1
            ]
            if same:
                reading = world.results.reading
                rows.append((name, model, tuple(same), len(reading.vocabulary), reading.top_k))
    return pd.DataFrame(rows, columns=["world", "model", "metrics", "known", "top_k"])
