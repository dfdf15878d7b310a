"""Sentences about speed and memory say what was measured, whatever came out."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.analysis.test_cost import profile
from vlmis_utils.analysis.cost import Cost, cost_of, hours
from vlmis_utils.report.text import cost as said


def samples(peaks: dict[int, float]) -> pd.DataFrame:
    rows = [(n, s, m) for n, peak in peaks.items() for s, m in ((0.0, 50.0), (1.0, peak))]
    return pd.DataFrame(rows, columns=["scenes", "seconds", "mib"]).assign(machine="A")


@pytest.mark.parametrize(
    ("scale", "words"), ((0.5, "2.00 times as fast"), (2.0, "2.00 times as slow"),
                         (1.0, "no difference"))
)  # fmt: skip
def test_a_change_is_named_in_its_direction(scale: float, words: str) -> None:
    lines = said.change_findings(profile(), profile(scale), {"a": "Model A"})
    assert len(lines) == 4 and lines[0].startswith("**Model A**")
    assert all(words in line for line in lines)


def test_models_of_one_profile_only_are_not_compared() -> None:
    old = profile()[lambda f: f.model != "c"]
    lines = said.change_findings(old, profile(), {})
    assert len(lines) == 3 and lines[-1].startswith("One image through all 2 models")
    assert said.change_findings(old[old.model == ""], profile(), {}) == []


def test_shares_add_up() -> None:
    words = said.share_finding(profile())
    shares = [int(part.split()[-1]) for part in words.split(" %")[:1]]
    rows = profile()
    rows = rows[~rows.stage.isin(["load", "render"]) & (rows.model != "blank")]
    rows = rows[(rows.table != "answers") | (rows.model != "")]
    inside = rows[rows.stage.isin(["prepare", "network", "finish"])].seconds.sum()
    assert shares == [round(100 * inside / rows.seconds.sum())]


def test_memory_is_flat_or_not() -> None:
    flat = said.memory_finding(samples({100: 700.0, 10000: 710.0}))
    assert "from 700 to 710 MiB, 1.0 KiB a scene" in flat and flat.endswith("so it is flat.")
    grows = said.memory_finding(samples({100: 700.0, 1100: 800.0}))
    assert "102.4 KiB a scene" in grows and grows.endswith("so it is not flat.")
    assert "700 MiB at most" in said.memory_finding(samples({100: 700.0}))


def test_machines_are_named_once() -> None:
    frames = [profile(), samples({1: 2.0}), profile()]
    assert said.machines(frames) == "A processor, 2 cores and A"
    assert said.machines([]) == "no machine"


def run() -> dict:
    stages = {m: {"seconds": 60.0, "images": 40} for m in "abc"}
    return {
        "parameters": {"scenes": 10, "workers": 2, "conditions": ["clean"] * 4,
                       "segmenters": ["a", "b"], "vlms": ["c"], "shard_size": 25},
        "machine": {"processor": "A processor", "cores": 2}, "stages": stages,
    }  # fmt: skip


def test_the_formula_is_held_against_a_run_of_the_same_kind() -> None:
    cost = cost_of(profile())
    words = said.check_finding(cost, run(), {"256x512"}, profile())
    assert f"the formula says {60 * hours(cost, 10, 4, 2):.1f} minutes" in words
    assert words.endswith("took 3.0.")


def test_the_formula_is_not_held_against_another() -> None:
    cost, rows = cost_of(profile()), profile()
    fewer = run()
    fewer["stages"]["a"]["images"] = 10  # only a part was computed last
    elsewhere = run()
    elsewhere["machine"]["processor"] = "B"
    unknown = Cost(cost.decode, cost.corrupt, {"a": 1.0})
    cases = (
        (cost, fewer, {"256x512"}), (cost, elsewhere, {"256x512"}), (cost, run(), {"10x10"}),
        (unknown, run(), {"256x512"}), (cost, run(), set()),
        (cost, run() | {"stages": {}}, {"256x512"}),
    )  # fmt: skip
    for one, facts, sizes in cases:
        assert "cannot be held against this run" in said.check_finding(one, facts, sizes, rows)
    assert "does not say where it ran" in said.check_finding(cost, {}, {"256x512"}, rows)
