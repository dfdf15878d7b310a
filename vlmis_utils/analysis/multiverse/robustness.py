"""Which conclusions are robust to all choices, which are not, and on which choice that depends.

The outcome of a conclusion, from its verdicts under all specifications:

- *robust*: one verdict throughout;
- *loses significance*: the study's 95 % interval excludes zero, that of some specifications does
  not, and none excludes it on the other side;
- *gains significance*: the study's interval does not exclude zero, that of some specifications
  does, all on one side;
- *changes sign*: some specifications exclude zero on one side and some on the other.

Shares of specifications are no probabilities: they weigh every combination alike, and the choices
were picked by us.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vlmis_utils.analysis.multiverse.curves import CONCLUSION, FOUND
from vlmis_utils.core.errors import UserError

__all__ = ["OUTCOMES", "disputed", "effects", "robustness", "rows_of"]

OUTCOMES = ("robust", "loses significance", "gains significance", "changes sign")
_CODES = {"down": -1, "same": 0, "up": 1}


def robustness(curve: pd.DataFrame, pool: Sequence[str] = ()) -> pd.DataFrame:
    """Return one row for each conclusion.

    Args:
        curve: from `rise_curve`, `correlation_curve` or `image_correlation_curve`, or several of
            them put together.
        pool: of segmenter and method, those to count as choices; the first one in the frame is
            then the study's own.

    Returns:
        The columns of `CONCLUSION`; specifications, their number; estimate, low, high and verdict
        (up, down, same) of the study's own; agreeing, the share of specifications with that
        verdict; up, same, down, the shares of each; lowest, median and highest estimate; outcome
        (one of `OUTCOMES`); alone, the choices (keys, a tuple) of which another level alone
        changes the study's verdict; deciding, the choice that sways the verdict most often (see
        `effects`), empty where the conclusion is robust.

    Raises:
        UserError: a conclusion's rows are no full factorial.
    """
    rows = []
    for name, group, keys in _conclusions(curve, pool):
        own = group[group.own].iloc[0]
        shares = {word: float((group.verdict == word).mean()) for word in ("up", "same", "down")}
        row = dict(zip(CONCLUSION, name, strict=True)) | {"specifications": len(group)}
        row |= {key: own[key] for key in ("estimate", "low", "high", "verdict")}
        row |= {"agreeing": shares[own.verdict]} | shares
        row |= {"lowest": group.estimate.min(), "median": group.estimate.median()}
        row |= {"highest": group.estimate.max(), "outcome": _outcome(own.verdict, shares)}
        found = _effects(group, keys)
        row["alone"] = tuple(key for key, effect in found.items() if effect["alone"])
        most = max(found, key=lambda key: found[key]["sway"], default="")
        row["deciding"] = most if most and found[most]["sway"] > 0 else ""
        rows.append(row)
    columns = [*CONCLUSION, "specifications", "estimate", "low", "high", "verdict", "agreeing",
               "up", "same", "down", "lowest", "median", "highest", "outcome", "alone",
               "deciding"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def effects(curve: pd.DataFrame, pool: Sequence[str] = ()) -> pd.DataFrame:
    """Return what each choice does to each conclusion.

    Args:
        curve, pool: as in `robustness`.

    Returns:
        The columns of `CONCLUSION`; choice (key); levels, their number; alone, whether another
        level of this choice, all others as in the study, changes the verdict; sway, the share of
        settings of all other choices under which the verdict depends on this one; eta2, the share
        of the variance of the estimate over all specifications that its main effect explains
        (eta squared of a balanced design, the between-level sum of squares over the total; what
        the choices leave over is due to their interactions); NaN where the estimate cannot be
        computed throughout, 0 where it does not vary.
    """
    rows = [
        {**dict(zip(CONCLUSION, name, strict=True)), "choice": key, **effect}
        for name, group, keys in _conclusions(curve, pool)
        for key, effect in _effects(group, keys).items()
    ]
    columns = [*CONCLUSION, "choice", "levels", "alone", "sway", "eta2"]
    return pd.DataFrame(rows, columns=columns)


def rows_of(curve: pd.DataFrame, conclusion: pd.Series, pool: Sequence[str] = ()) -> pd.DataFrame:
    """Return a conclusion's rows of a curve, without the columns of choices that do not apply.

    Args:
        curve, pool: as in `robustness`.
        conclusion: a row of `robustness`.

    Raises:
        UserError: the curve has no such conclusion.
    """
    wanted = tuple(conclusion[c] for c in CONCLUSION)
    for name, group, keys in _conclusions(curve, pool):
        if name == wanted:
            names = [c for c in CONCLUSION if c not in keys]
            return group[[*names, *keys, *FOUND]].reset_index(drop=True)
    raise UserError(f"the curve has no conclusion {' '.join(filter(None, wanted))}")


def disputed(found: pd.DataFrame) -> pd.DataFrame:
    """Return conclusions in the order of dispute: least agreement first, then widest range.

    Args:
        found: from `robustness`.
    """
    spread = found.highest - found.lowest
    order = found.assign(spread=-spread).sort_values(["agreeing", "spread"], kind="stable").index
    return found.loc[order]


def _conclusions(
    curve: pd.DataFrame, pool: Sequence[str]
) -> list[tuple[tuple[str, ...], pd.DataFrame, list[str]]]:
    """Return for each conclusion its name, its rows, and the keys of the choices that apply."""
    for column in pool:
        if column not in ("segmenter", "method"):
            raise UserError(f"only segmenter and method can be pooled, not {column!r}")
    curve = curve.copy()
    for column in pool:
        named = curve[column][curve[column] != ""]
        curve["own"] &= (curve[column] == "") | (curve[column] == next(iter(named), ""))
    choices = [c for c in curve if c not in CONCLUSION and c not in FOUND]
    found = []
    names = [c for c in CONCLUSION if c not in pool]
    for name, group in curve.groupby(names, sort=False):
        named = dict(zip(names, name, strict=True))
        keys = [c for c in (*pool, *choices) if group[c].notna().all() and (group[c] != "").all()]
        found.append((tuple(named.get(c, "") for c in CONCLUSION), group, keys))
    return found


def _outcome(own: str, shares: dict[str, float]) -> str:
    if 1.0 in shares.values():
        return "robust"
    if shares["up"] and shares["down"]:
        return "changes sign"
    return "gains significance" if own == "same" else "loses significance"


def _effects(group: pd.DataFrame, keys: Sequence[str]) -> dict[str, dict[str, object]]:
    codes = [pd.factorize(group[key])[0] for key in keys]
    shape = tuple(int(code.max()) + 1 for code in codes)
    if len(group) != np.prod(shape) or len(set(zip(*codes, strict=True))) != max(1, len(group)):
        raise UserError(
            f"a conclusion has {len(group)} rows, which are not all combinations of "
            f"{', '.join(keys) or 'no choice'}: pass a curve as it was made"
        )
    order = np.lexsort(codes[::-1])
    signs = group.verdict.map(_CODES).to_numpy()[order].reshape(shape)
    values = group.estimate.to_numpy(float)[order].reshape(shape)
    own = np.unravel_index(int(np.flatnonzero(group.own.to_numpy()[order])[0]), shape)
    found = {}
    for axis, key in enumerate(keys):
        line = signs[tuple(slice(None) if a == axis else own[a] for a in range(len(shape)))]
        sway = (signs.max(axis) != signs.min(axis)).mean()
        found[key] = {"levels": shape[axis], "alone": bool((line != signs[own]).any()),
                      "sway": float(sway), "eta2": _eta2(values, axis)}  # fmt: skip
    return found


def _eta2(values: np.ndarray, axis: int) -> float:
    """Return the variance of the means along an axis over the variance of all values."""
    if not np.isfinite(values).all():
        return float("nan")
    others = tuple(a for a in range(values.ndim) if a != axis)
    total = values.var()
    return float(values.mean(others).var() / total) if total > 1e-24 else 0.0
