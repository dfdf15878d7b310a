"""Grids agree with `Results` read with the same parameters, and hold every combination once."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from vlmis_utils.analysis.multiverse import Choice, Grid
from vlmis_utils.analysis.multiverse.grid import worst_conditions
from vlmis_utils.analysis.multiverse.safety_rules import relabel
from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics import language


def values(every: tuple[Choice, ...], levels: pd.Series) -> dict[str, object]:
    """Return key -> value for a row of level names, own values elsewhere."""
    own = {choice.key: choice.own.value for choice in every}
    named = {
        choice.key: level.value
        for choice in every if choice.key in levels
        for level in choice.levels if level.name == levels[choice.key]
    }  # fmt: skip
    return own | named


def read(results: Results, spec: dict[str, object]) -> Results:
    parser, hedged = spec["text"]
    return Results(
        results.records, top_k=spec["top_k"], parser=parser, count_hedged=hedged, bootstrap=10,
        critical_classes=sorted(spec["critical"]), min_share=spec["share"], epsilon=spec["epsilon"],
    )  # fmt: skip


def expected(judged: pd.DataFrame, metric: str, spec: dict[str, object], safe: dict) -> float:
    """Return a rate from the sets of `outcomes.per_image`, by the functions of `metrics`."""
    if metric == "hr":
        return (judged.hr_i if spec["hidden"] else judged.hr_visible_i).mean()
    if metric == "smr":
        kept = judged[judged.decision != "abstain"] if spec["ambiguous"] else judged
        labels = [bool(safe[name]) for name in kept.scene_id]
        return language.safety_misinterpretation_rate(list(kept.decision), labels)
    must = judged.critical if spec["hidden"] else judged.critical - judged.hidden
    rate = language.critical_omission_rate
    if spec["images"]:
        rate = language.critical_omission_rate_conditional
    return rate(list(judged.mentioned), list(must), list(must))


@pytest.mark.parametrize("seed", range(4))
def test_random_specifications_agree_with_results(
    results: Results, every: tuple[Choice, ...], grids: list[Grid], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    scenes = results.scenes.sort_values("scene_id")
    for grid in grids:
        row = int(rng.integers(len(grid.values)))
        spec = values(every, grid.levels.iloc[row])
        judged = read(results, spec).vlm_per_image()
        safe = dict(zip(scenes.scene_id, relabel(scenes, spec["safety"]), strict=True))
        rates = grid.rates()[row]
        for index, condition in enumerate(grid.conditions):
            mine = judged[(judged.vlm == grid.vlm) & (judged.condition == condition)]
            rate = expected(mine, grid.metric, spec, safe)
            assert rates[index] == pytest.approx(rate, abs=1e-11, nan_ok=True)


def test_own_specification_is_first_and_gives_the_rates_of_the_book(
    results: Results, every: tuple[Choice, ...], grids: list[Grid]
) -> None:
    table = results.vlm_by_condition().set_index(["vlm", "condition"])
    own = {choice.key: choice.own.name for choice in every}
    for grid in grids:
        assert all(own[key] == name for key, name in grid.levels.iloc[0].items())
        for rate, condition in zip(grid.rates()[0], grid.conditions, strict=True):
            assert rate == pytest.approx(table.loc[(grid.vlm, condition), grid.metric])


def test_grids_hold_every_combination_of_the_choices_that_matter(
    every: tuple[Choice, ...], grids: list[Grid]
) -> None:
    sizes = {choice.key: len(choice.levels) for choice in every}
    expected = {
        ("clip", "hr"): "top_k share hidden epsilon",
        ("clip", "cor"): "top_k share hidden critical images",
        ("clip", "smr"): "safety",
        ("qwen2-vl", "hr"): "text share hidden epsilon",
        ("qwen2-vl", "smr"): "safety ambiguous",
    }
    assert len(grids) == 9
    for grid in grids:
        keys = list(grid.levels)
        assert len(grid.values) == math.prod(sizes[key] for key in keys)
        assert not grid.levels.duplicated().any()
        if (grid.vlm, grid.metric) in expected:
            assert keys == expected[grid.vlm, grid.metric].split()


def test_hidden_objects_are_no_choice_where_nothing_is_hidden(grids: list[Grid]) -> None:
    grid = next(g for g in grids if g.metric == "cor")
    dark, blocked = grid.under(["clean", "LL3"]), grid.under(["clean", "OCC3"])
    assert "hidden" not in dark.levels and "hidden" in blocked.levels
    assert len(dark.values) == len(grid.values) / 2 and blocked.values.shape[1] == 2
    assert not dark.hidden.any() and blocked.hidden.tolist() == [False, True]


def test_an_image_without_a_description_has_no_value(
    results: Results, every: tuple[Choice, ...]
) -> None:
    from vlmis_utils.analysis.multiverse import grids

    other = Results(results.records)
    lost = (results.answers.prompt == "describe") & (results.answers.condition == "MB1")
    lost &= results.answers.scene_id == results.scenes.scene_id.iloc[0]
    other.__dict__["answers"] = results.answers[~lost]
    for grid in grids(other, every):
        assert np.isnan(grid.values[:, grid.conditions.index("MB1"), 0]).all()
        table = other.vlm_by_condition().set_index(["vlm", "condition"])
        rate = grid.rates()[0, grid.conditions.index("MB1")]
        assert rate == pytest.approx(table.loc[(grid.vlm, "MB1"), grid.metric])


def test_worst_conditions_are_the_highest_severities_there() -> None:
    assert worst_conditions(["clean"]) == []
    assert worst_conditions(["OCC1", "MB2", "clean", "MB1", "LL1"]) == ["LL1", "MB2", "OCC1"]
