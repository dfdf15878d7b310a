"""What the measurements of speed and memory show, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis.cost import MODEL_STAGES, Cost, by_model, hours
from vlmis_utils.core.formatting import listing, number, percent
from vlmis_utils.protocol.study import Study
from vlmis_utils.report.figures.cost import load_peaks

__all__ = ["change_findings", "check_finding", "goal_findings", "machines", "memory_finding",
           "share_finding"]  # fmt: skip

_FLAT = 4.0  # KiB a scene: less than the names and digests of a scene's ten conditions take
_ALIKE = 0.03  # two times that differ by less are not told apart


def goal_findings(benches: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return how many goals are met, and a sentence for each that is missed.

    Args:
        benches: of `analysis.cost.load_benches`.
    """
    if not benches:
        return ["No comparison has been measured."]
    rows = pd.concat(benches.values(), ignore_index=True)
    aimed = rows[rows.verdict != ""]
    if aimed.empty:
        return [f"Comparisons: {len(rows)}, with a goal: none."]
    missed = aimed[aimed.verdict == "missed"]
    met = len(aimed) - len(missed)
    found = [
        f"Comparisons: {len(rows)}, with a goal: {len(aimed)}; {met} met, {len(missed)} missed."
    ]
    return found + [
        f"**Missed**: {r.subject} ({r.inputs}) against {r.peer}, {number(r.ratio, 1)} times as fast"
        f" where {r.goal:g} was the goal."
        for r in missed.itertuples()
    ]


def share_finding(profile: pd.DataFrame) -> str:
    """Return which share of a profile the models take, and what else is largest.

    Args:
        profile: of `analysis.cost.load_measured`; loading and rendering are left out.
    """
    table = by_model(profile)
    images = profile.groupby(["table", "model"]).images.max()
    seconds = table.drop(columns=["total", "share"]).mul(images.reindex(table.index), axis=0)
    shares = seconds.sum() / seconds.sum().sum()
    inside = shares.reindex(list(MODEL_STAGES)).fillna(0.0)
    rest = shares.drop(list(MODEL_STAGES), errors="ignore").sort_values(ascending=False)
    largest = f"{rest.index[0]}, {100 * rest.iloc[0]:.1f} %" if len(rest) else "none"
    return (
        f"The models take {percent(inside.sum())} of the time ({percent(inside['network'])} in "
        f"their layers, {percent(inside['prepare'])} before and {percent(inside['finish'])} after"
        f" them); all else takes {percent(rest.sum())}, of which the largest part is {largest}."
    )


def change_findings(
    before: pd.DataFrame, after: pd.DataFrame, labels: Mapping[str, str]
) -> list[str]:
    """Return a sentence for each model that both profiles have, and one for all of them."""
    first, second = by_model(before).total, by_model(after).total
    both = [key for key in second.index if key in first.index]
    found = []
    for key in both:
        if not key[1]:
            continue
        old, new = float(first[key]), float(second[key])
        found.append(
            f"**{labels.get(key[1], key[1])}**: {number(new, 0)} ms an image, "
            f"{number(old, 0)} before, {_times(old / new)}."
        )
    models = [key for key in both if key[1]]
    if models:
        old, new = first[models].sum(), second[models].sum()
        found.append(
            f"One image through {'it' if len(models) == 1 else f'all {len(models)} models'}: "
            f"{number(new, 0)} ms, {number(old, 0)} before, {_times(old / new)}."
        )
    return found


def _times(ratio: float) -> str:
    if abs(ratio - 1) < _ALIKE:
        return "no difference that one can rely on"
    return (
        f"{number(ratio, 2)} times as fast"
        if ratio > 1
        else f"{number(1 / ratio, 2)} times as slow"
    )


def memory_finding(samples: pd.DataFrame) -> str:
    """Return how the peak of the resident set goes with the number of scenes.

    Args:
        samples: of `analysis.cost.load_measured`, from ``bench_memory.py``.
    """
    peaks = load_peaks(samples)
    first, last = peaks.iloc[0], peaks.iloc[-1]
    if len(peaks) == 1:
        return f"A run over {first.scenes:.0f} scenes takes {number(first.peak, 0)} MiB at most."
    slope = 1024 * (last.peak - first.peak) / (last.scenes - first.scenes)
    verdict = "it is flat" if slope < _FLAT else "it is not flat"
    return (
        f"From {first.scenes:.0f} to {last.scenes:.0f} scenes the peak goes from "
        f"{number(first.peak, 0)} to {number(last.peak, 0)} MiB, {number(slope, 1)} KiB a scene. "
        f"Flat means less than {_FLAT:g} KiB a scene here, so {verdict}."
    )


def machines(frames: list[pd.DataFrame]) -> str:
    """Return the machines that measurements were made on, once each."""
    return listing(dict.fromkeys(name for frame in frames for name in frame.machine), "no machine")


def check_finding(
    cost: Cost, run: Mapping[str, object], sizes: set[str], profile: pd.DataFrame
) -> str:
    """Return how well the formula tells the time of a run that was recorded.

    Args:
        cost: of the profile.
        run: ``run.json``: its parameters, machine and stages.
        sizes: of the run's images, such as ``256x512``.
        profile: whose size and machine have to be those of the run.
    """
    machine, given = run.get("machine"), run.get("parameters")
    stages = run.get("stages") or {}
    if not isinstance(machine, Mapping) or not isinstance(given, Mapping):
        return "This run does not say where it ran, so that the formula cannot be held against it."
    study = Study(**{k: v for k, v in given.items() if k in ("scenes", "workers", "shard_size")})
    models = [*given.get("segmenters", ()), *given.get("vlms", ())]
    conditions = len(given.get("conditions", ()))
    images = {m: stages.get(m, {}).get("images", 0) for m in models}
    alike = sizes == set(profile["size"]) and all(
        str(machine.get("processor")) in words for words in profile.machine
    )
    whole = all(count >= study.scenes * conditions for count in images.values()) and models
    if not alike or not whole or not set(models) <= set(cost.models):
        return (
            "The formula cannot be held against this run, whose images, models, machine or stages "
            "are not those of the profile."
        )
    cores = int(machine.get("cores", 1))
    workers = min(study.workers or cores, study.shard_size, study.scenes)
    used = Cost(cost.decode, cost.corrupt, {m: cost.models[m] for m in models})
    expected = 60 * hours(used, study.scenes, conditions, workers)
    took = sum(float(stages[m]["seconds"]) for m in models) / 60
    return (
        f"Held against this run, {study.scenes} scenes on {workers} workers: the formula says "
        f"{number(expected, 1)} minutes, the models' stages took {number(took, 1)}."
    )
