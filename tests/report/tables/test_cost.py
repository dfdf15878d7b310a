"""The tables of the page on performance hold what was measured, as text."""

from __future__ import annotations

import pandas as pd

from tests.analysis.test_cost import bench, profile
from tests.report.text.test_cost import samples
from vlmis_utils.analysis.cost import Cost, by_model, cost_of, hours, verdict
from vlmis_utils.core.formatting import number
from vlmis_utils.report.tables.cost import (
    load_comparison,
    load_costs,
    load_memory,
    load_profile,
    load_stage_names,
)


def test_stages_have_words_and_shares_of_everything() -> None:
    table = load_stage_names(profile())
    assert set(table.stage) == set(profile().stage)
    assert abs(sum(float(s.removesuffix(" %")) for s in table.share) - 100) < 0.6


def test_a_profile_has_a_dash_for_a_stage_that_does_not_occur() -> None:
    table = load_profile(profile(), {"a": "Model A"})
    assert list(table["of"]) == ["scenes", "conditions", "Model A", "b", "c"]
    assert table.decode[0] == "200.0" and table.decode[2] == "–"
    assert table["all"][3] == number(by_model(profile()).total["segmentation", "b"], 1)


def test_a_comparison_says_met_missed_or_nothing() -> None:
    rows = pd.concat([bench(), bench(ratio=4.0), bench(goal=float("nan"))], ignore_index=True)
    rows = rows.assign(verdict=[verdict(r, g) for r, g in zip(rows.ratio, rows.goal, strict=True)])
    table = load_comparison(rows)
    assert list(table.goal) == ["5, **met**", "5, **missed**", "–"]
    assert table.ratio[0] == "6.00 [5.00 to 7.00]{.interval}"


def test_memory_has_a_line_for_each_number_of_scenes() -> None:
    table = load_memory(samples({100: 700.0, 300: 800.0}))
    assert list(table.scenes) == ["100", "300"]
    assert list(table["growth, KiB a scene"]) == ["–", "+512.0"]


def test_costs_of_what_is_known_and_dashes_elsewhere() -> None:
    large = cost_of(profile(10.0))
    table = load_costs(None, large, {"a": 0.5, "new": 2.0}, {"new": "New"}, sizes=(500,))
    assert list(table.model) == ["a", "New", "b", "c", "**all of the profile**"]
    assert list(table["this run, s"]) == ["0.500", "2.000", "–", "–", "–"]
    assert list(table["256×512, s"]) == ["–"] * 5
    alone = hours(Cost(large.decode, large.corrupt, {"a": large.models["a"]}), 500)
    assert table["500 scenes, h"][0] == number(alone, 1)
    assert table["500 scenes, h"][1] == "–"
    assert table["500 scenes, h"][4] == number(hours(large, 500), 1)
    assert load_costs(None, None, {"a": 0.5}, {}).iloc[0].tolist() == ["a", "0.500", *"––––"]
