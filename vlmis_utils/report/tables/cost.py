"""Tables of speed and memory: each ``load_`` takes measurements and returns finished cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.cost import STAGES, Cost, by_model, hours
from vlmis_utils.core.formatting import number
from vlmis_utils.report.figures.cost import load_peaks
from vlmis_utils.report.tables.markdown import Column, cells, span

__all__ = ["load_comparison", "load_costs", "load_memory", "load_profile", "load_stage_names"]


def load_stage_names(profile: pd.DataFrame) -> pd.DataFrame:
    """Return the stages that a profile has, what each is, and its seconds and share.

    The share is of all processor seconds of the profile, loading and rendering included.
    """
    seconds = profile.groupby("stage").seconds.sum()
    rows = pd.DataFrame({"words": STAGES, "seconds": seconds, "share": seconds / seconds.sum()})
    rows = rows.loc[[stage for stage in STAGES if stage in seconds]].reset_index(names="stage")
    return cells(
        rows, Column("stage", "stage"), Column("what", "words"),
        Column("seconds", "seconds", digits=1), Column("share", "share", form=_share),
    )  # fmt: skip


def load_profile(profile: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return milliseconds an image by table or model (rows) and stage (columns), and the share.

    See `analysis.cost.by_model`. A dash stands for a stage that does not occur.
    """
    table = by_model(profile)
    stages = [column for column in table if column not in ("total", "share")]
    rows = table.assign(of=[labels.get(model, model) or kind for kind, model in table.index])
    rows[stages] = rows[stages].where(rows[stages] > 0)
    return cells(
        rows,
        Column("of", "of"),
        *(Column(stage, stage, digits=1) for stage in stages),
        Column("all", "total", digits=1),
        Column("share", "share", form=_share),
    )


def load_comparison(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of one file of `analysis.cost.load_benches`."""
    known = rows.assign(
        around=[
            f"{_time(ratio)} {span(f'{_time(low)} to {_time(high)}', 'interval')}"
            for ratio, low, high in zip(rows.ratio, rows.low, rows.high, strict=True)
        ],
        met=[f"{g:g}, **{v}**" if v else "–" for g, v in zip(rows.goal, rows.verdict, strict=True)],
    )
    return cells(
        known, Column("what", "subject"), Column("inputs", "inputs"), Column("peer", "peer"),
        Column("ours, ms", "ours_ms", form=_time), Column("peer, ms", "peer_ms", form=_time),
        Column("ratio", "around"), Column("goal", "met"),
    )  # fmt: skip


def load_memory(samples: pd.DataFrame) -> pd.DataFrame:
    """Return scenes, peak and growth of `report.figures.cost.load_peaks` as cells."""
    return cells(
        load_peaks(samples),
        Column("scenes", "scenes"),
        Column("at the start, MiB", "start", digits=0),
        Column("peak, MiB", "peak", digits=0),
        Column("growth, KiB a scene", "growth", digits=1, sign=True),
        Column("seconds", "seconds", digits=0),
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
    rows = pd.DataFrame({"model": list(models)})
    rows["run"] = [recorded.get(m, nothing) for m in models]
    for size, cost in (("small", small), ("large", large)):
        rows[size] = [cost.models.get(m, nothing) if cost is not None else nothing for m in models]
    for scenes in sizes:
        rows[f"{scenes}"] = [
            hours(Cost(large.decode, large.corrupt, {m: large.models[m]}), scenes, workers=workers)
            if large is not None and m in large.models else nothing
            for m in models
        ]  # fmt: skip
    if large is not None:
        whole = {f"{scenes}": hours(large, scenes, workers=workers) for scenes in sizes}
        rows = pd.concat([rows, pd.DataFrame([{"model": "**all of the profile**"} | whole])])
    return cells(
        rows.reset_index(drop=True),
        Column("model", "model", words=labels),
        Column("this run, s", "run", digits=3),
        Column("256×512, s", "small", digits=3),
        Column("1024×2048, s", "large", digits=3),
        *(Column(f"{scenes} scenes, h", f"{scenes}", digits=1) for scenes in sizes),
    )


def _share(share: float) -> str:
    return f"{100 * share:.1f} %"


def _time(value: float) -> str:
    """Return milliseconds, or a ratio, with as many digits as it deserves."""
    return number(value, 0 if value >= 100 else 1 if value >= 10 else 2)
