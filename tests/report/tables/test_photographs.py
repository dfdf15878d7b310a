"""Tables about photographs: what is prevalent, what stands below a cell, what is too seldom."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from vlmis_utils.analysis.cost import load_measured
from vlmis_utils.protocol.classes import OBJECT_CLASSES
from vlmis_utils.report.tables import photographs as tables


def world(cars: int, n: int, annotated: tuple[str, ...] = OBJECT_CLASSES) -> SimpleNamespace:
    """Return a world in which so many of n scenes hold a car, and nothing else."""
    present = [frozenset({"car"}) if i < cars else frozenset() for i in range(n)]
    truth = pd.DataFrame({"condition": "clean", "present": present})
    return SimpleNamespace(results=SimpleNamespace(truth=truth, annotated=frozenset(annotated)))


def test_a_class_is_judged_with_enough_scenes_on_both_sides() -> None:
    worlds = {"a": world(20, 40), "b": world(19, 40), "c": world(21, 40)}
    found = tables.prevalence(worlds).set_index(["world", "class"])
    assert [bool(found.judged[w, "car"]) for w in "abc"] == [True, False, False]
    assert found.positives["b", "car"] == 19 and not found.judged["a", "truck"]


def test_prevalence_says_what_a_world_has_no_label_for() -> None:
    found = tables.prevalence({"a": world(20, 40), "b": world(5, 10, ("car",))})
    cells = tables.load_prevalence(found).set_index("class")
    assert cells.b["truck"] == "no label" and "20 of 40" in cells.a["car"]
    assert "not judged" in cells.b["car"] and "not judged" not in cells.a["car"]
    assert list(cells.columns) == ["a", "b"] and len(cells) == len(OBJECT_CLASSES)


def test_below_a_cell_stands_the_plain_value_of_the_same_cell() -> None:
    here = pd.DataFrame({"c": ["clean", "LL1"], "x": ["1", "2"], "y": ["3", "–"]})
    there = pd.DataFrame(
        {"c": ["LL1", "MB1"], "x": ["7 [0 to 9]{.interval} [5]{.paper}", "8"], "z": ["9", "9"]}
    )
    cells = tables.stacked(here, {"there": there})
    assert cells.x.tolist() == ["1", "2 [there 7]{.interval}"]
    assert cells.y.tolist() == ["3", "–"]


def test_label_agreement_has_a_row_a_rule_and_reference() -> None:
    rows = pd.DataFrame(
        [("flat", "all", m, 0.5, 0.4, 0.6) for m in ("sensitivity", "specificity")],
        columns=["rule", "against", "measure", "value", "low", "high"],
    )
    (line,) = tables.load_label_agreement(rows).to_dict("records")
    assert line["rule"] == "flat" and "0.40" in line["specificity"]


def test_full_size_has_a_row_a_model_and_says_when_there_is_none(tmp_path: Path) -> None:
    assert "not been measured" in tables.full_size_words(tables.read_full_size(tmp_path), {}, {})
    about = {"frames": 10, "cpu_seconds": 0.5, "mib": 900.0, "machine": "a", "digest": "12"}
    rows = [
        about | {"model": "s", "condition": c, "miou": 0.5, "official_miou": 0.5, "largest_gap": g}
        for c, g in (("clean", 0.0), ("LL3", 2e-16))
    ]
    rows.append(about | {"model": "v", "frames": 2, "digest": "old"})
    pd.DataFrame(rows).to_csv(tmp_path / "full-size.csv", index=False)
    found = tables.read_full_size(tmp_path)
    cells = tables.load_full_size(found, {"s": "S"})
    assert cells.model.tolist() == ["S", "v"]
    assert cells.frames.tolist() == ["10", "2"]
    assert cells.iloc[0, 4] == "2e-16" and cells.iloc[1, 4] == "–"
    words = tables.full_size_words(found, {"s": "S"}, {"s": "12", "v": "new"})
    assert "2e-16" in words and "all 2 conditions, for S." in words
    assert "earlier" not in words, "of a VLM there is no score that depends on its weights"
    assert "mIoU of S is that of an earlier" in tables.full_size_words(
        found, {"s": "S"}, {"s": "13"}
    )


def test_changes_of_the_rule_are_rows_with_both_ways_a_label_can_turn() -> None:
    rows = load_measured("label-constants")
    shown = tables.load_label_constants(rows)
    assert list(shown.change) == list(rows.change)
    assert [int(n) for n in shown["turn safe"]] == rows.turns_safe.tolist()
    # A wider or longer corridor only adds feet, and a narrower or shorter one only loses some.
    by_change = rows.set_index("change")
    for change in ("corridor 4 m wide", "stopping distance 20 m"):
        assert by_change.turns_safe[change] == 0
    for change in ("corridor 3 m wide", "stopping distance 14 m"):
        assert by_change.turns_unsafe[change] == 0
