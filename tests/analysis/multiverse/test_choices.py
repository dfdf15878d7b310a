"""The study's own parameters are the first levels, whatever they are, and no level comes twice."""

from __future__ import annotations

import pytest

from vlmis_utils.analysis.multiverse import Choice, choices
from vlmis_utils.analysis.multiverse.choices import KEYS
from vlmis_utils.analysis.results import Results


def by_key(every: tuple[Choice, ...]) -> dict[str, Choice]:
    return {choice.key: choice for choice in every}


def test_keys_are_in_order_and_levels_distinct(every: tuple[Choice, ...]) -> None:
    assert tuple(c.key for c in every) == KEYS
    for choice in every:
        assert len({level.name for level in choice.levels}) == len(choice.levels) >= 2
        assert set(choice.metrics) <= {"hr", "cor", "smr"} and choice.origin


def test_defaults_of_the_study_come_first(every: tuple[Choice, ...]) -> None:
    found = by_key(every)
    assert found["top_k"].own.value == 4 and found["text"].own.name == "scoped parser"
    assert found["share"].own.name == "present from 0.04 %"
    assert found["epsilon"].own.name == "ε = 10⁻⁶"
    assert found["safety"].own.name == "17.0 m, red or amber" and len(found["safety"].levels) == 12
    assert found["critical"].own.name == "critical: people, lights, signs"


def test_other_parameters_come_first_and_stay_among_the_levels(results: Results) -> None:
    other = Results(
        results.records, top_k=6, parser="keyword", count_hedged=True, epsilon=0.5, min_share=0.001,
        critical_classes=["car", "bus"],
    )  # fmt: skip
    found = by_key(choices(other))
    assert [level.value for level in found["top_k"].levels] == [6, 3, 4, 5]
    assert found["text"].own.name == "keyword parser" and len(found["text"].levels) == 3
    assert [level.value for level in found["epsilon"].levels] == [0.5, 1e-6, 1.0]
    assert [level.value for level in found["share"].levels] == [0.001, 0.0002, 0.0004]
    assert found["critical"].own.name == "critical: the study's list"
    assert found["critical"].own.value == {"car", "bus"}


def test_levels_can_be_given(results: Results) -> None:
    found = by_key(choices(results, top_k=[1, 2], thresholds=[0.1], speeds=[10, 20]))
    assert [level.value for level in found["top_k"].levels] == [4, 1, 2]
    assert len(found["safety"].levels) == 3 * 3 + 3 + 1


@pytest.mark.parametrize(
    ("reason", "own", "levels"),
    [("car covers 7% of the corridor", "image rule, 0.5 %", 3), ("clear", "as recorded", 4)],
)
def test_without_geometry_only_the_image_rule_is_tried(
    results: Results, reason: str, own: str, levels: int
) -> None:
    other = Results(results.records)
    other.__dict__["scenes"] = results.scenes.assign(safety_reason=reason, safe=reason == "clear")
    found = by_key(choices(other))["safety"]
    assert found.own.name == own and len(found.levels) == levels
