"""Tables of speed and memory: each ``load_`` takes measurements and returns finished cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.cost import STAGES, Cost, by_model, hours
from vlmis_utils.core.formatting import number
from vlmis_utils.report.figures.cost import load_peaks
from vlmis_utils.report.tables.markdown import span

__all__ = ["load_comparison", "load_costs", "load_memory", "load_profile", "load_stage_names"]

_SHOWN = {"scenes": "scenes", "conditions": "conditions"}


def load_stage_names(profile: pd.DataFrame) -> pd.DataFrame:
    """Return the stages that a profile has, what each is, and its seconds and share.

    The share is of all processor seconds of the profile, loading and rendering included.
    """
    seconds = profile.groupby("stage").seconds.sum()
    rows = [
        (stage, words, number(seconds[stage], 1), f"{100 * seconds[stage] / seconds.sum():.1f} %")
        for stage, words in STAGES.items()
        if stage in seconds
    ]
    return pd.DataFrame(rows, columns=["stage", "what", "seconds", "share"])


def load_profile(profile: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return milliseconds an image by table or model (rows) and stage (columns), and the share.

    See `analysis.cost.by_model`. A dash stands for a stage that does not occur.
    """
    table = by_model(profile)
    stages = [column for column in table if column not in ("total", "share")]
    cells: dict[str, list[str]] = {
        "of": [labels.get(model, model) or _SHOWN[kind] for kind, model in table.index]
    }
    for stage in stages:
        cells[stage] = [number(v, 1) if v > 0 else "–" for v in table[stage]]
    cells["all"] = [number(v, 1) for v in table.total]
    cells["share"] = [f"{100 * v:.1f} %" for v in table.share]
    return pd.DataFrame(cells)


def load_comparison(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of one file of `analysis.cost.load_benches`."""
    return pd.DataFrame(
        {
            "what": rows.subject,
            "inputs": rows.inputs,
            "peer": rows.peer,
            "ours, ms": [_time(v) for v in rows.ours_ms],
            "peer, ms": [_time(v) for v in rows.peer_ms],
            "ratio": [
                f"{_ratio(r)} {span(f'{_ratio(low)} to {_ratio(high)}', 'interval')}"
                for r, low, high in zip(rows.ratio, rows.low, rows.high, strict=True)
            ],
            "goal": [
                f"{g:g}, **{v}**" if v else "–"
                for g, v in zip(rows.goal, rows.verdict, strict=True)
            ],
        }
    )


def load_memory(samples: pd.DataFrame) -> pd.DataFrame:
    """Return scenes, peak and growth of `report.figures.cost.load_peaks` as cells."""
    peaks = load_peaks(samples)
    return pd.DataFrame(
        {
            "scenes": [str(n) for n in peaks.scenes],
            "at the start, MiB": [number(v, 0) for v in peaks.start],
            "peak, MiB": [number(v, 0) for v in peaks.peak],
            "growth, KiB a scene": [number(v, 1, sign=True) for v in peaks.growth],
            "seconds": [number(v, 0) for v in peaks.seconds],
        }
    )


def load_costs(
    small: Cost | None,
    large: Cost | None,
    recorded: Mapping[str, float],
    labels: Mapping[str, str],
    sizes: Sequence[int] = (500, 2975),
    workers: int = 1,
) -> pd.DataFrame:
    """Return seconds an image by model, and the hours of studies at the large size.

    Args:
        small, large: costs of a profile at the embedded size and at that of Cityscapes.
        recorded: model -> seconds in this run's records.
        sizes: numbers of scenes; a column of hours each, of ten conditions with that model alone,
            and below with all models together.
        workers: that share the work.
    """
    profiles = [cost for cost in (small, large) if cost is not None]
    models = dict.fromkeys([*recorded, *(m for cost in profiles for m in cost.models)])
    nothing = float("nan")
    cells: dict[str, list[str]] = {"model": [labels.get(m, m) for m in models]}
    cells["this run, s"] = [number(recorded.get(m, nothing), 3) for m in models]
    for title, cost in (("256×512, s", small), ("1024×2048, s", large)):
        known = cost.models if cost is not None else {}
        cells[title] = [number(known.get(m, nothing), 3) for m in models]
    for scenes in sizes:
        alone = [
            hours(Cost(large.decode, large.corrupt, {m: large.models[m]}), scenes, workers=workers)
            if large is not None and m in large.models else nothing
            for m in models
        ]  # fmt: skip
        cells[f"{scenes} scenes, h"] = [number(v, 1) for v in alone]
    table = pd.DataFrame(cells)
    if large is not None:
        whole = [number(hours(large, scenes, workers=workers), 1) for scenes in sizes]
        table.loc[len(table)] = ["**all of the profile**", "–", "–", "–", *whole]
    return table


def _time(milliseconds: float) -> str:
    return number(milliseconds, 0 if milliseconds >= 100 else 1 if milliseconds >= 10 else 2)


def _ratio(value: float) -> str:
    return number(value, 0 if value >= 100 else 1 if value >= 10 else 2)
