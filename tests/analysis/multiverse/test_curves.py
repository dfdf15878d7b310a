"""The study's own points lie where the chapters have them; known flips are found where they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from vlmis_utils.analysis import changes, multiverse
from vlmis_utils.analysis.multiverse import Grid
from vlmis_utils.analysis.multiverse.curves import CONCLUSION, FOUND
from vlmis_utils.analysis.results import Results
from vlmis_utils.protocol.classes import OBJECT_CLASSES
from vlmis_utils.statistics import bootstrap_interval


@pytest.fixture(scope="module")
def rises(grids: list[Grid]) -> pd.DataFrame:
    return multiverse.rise_curve(grids, 100)


def test_own_rises_are_those_of_the_chapters(results: Results, rises: pd.DataFrame) -> None:
    found = changes.misalignment_changes(results).set_index(["vlm", "condition", "metric"])
    images = results.vlm_per_image().sort_values("scene_id")
    own = rises[rises.own]
    assert len(own) == 3 * 3 * 3
    for row in own.itertuples():
        mine = images[images.vlm == row.vlm]
        clean, worst = (
            mine[mine.condition == c][changes.METRIC_COLUMNS[row.metric]].to_numpy(float)
            for c in ("clean", row.condition)
        )
        other = bootstrap_interval(worst - clean, resamples=100)
        assert found.delta[row.vlm, row.condition, row.metric] == pytest.approx(row.estimate)
        for bound in ("low", "high"):
            assert getattr(row, bound) == pytest.approx(getattr(other, bound), abs=1e-10)


def test_curves_are_tidy(rises: pd.DataFrame) -> None:
    assert tuple(rises)[: len(CONCLUSION)] == CONCLUSION and tuple(rises)[-len(FOUND) :] == FOUND
    assert set(rises.condition) == {"LL3", "MB3", "OCC3"} and set(rises.kind) == {"rise"}
    assert rises.own.dtype == bool and rises.estimate.dtype == float
    assert set(rises.verdict) <= {"up", "down", "same"}
    assert ((rises.low > 0) == (rises.verdict == "up")).all()
    assert ((rises.high < 0) == (rises.verdict == "down")).all()


def test_conditional_rise_is_a_difference_of_conditional_means(
    results: Results, rises: pd.DataFrame
) -> None:
    table = results.vlm_by_condition().set_index(["vlm", "condition"]).cor_conditional
    own = {"share": "present from 0.04 %", "hidden": "hidden objects count",
           "critical": "critical: people, lights, signs", "images": "over critical images",
           "top_k": "Top-4", "condition": "OCC3", "vlm": "clip", "metric": "cor"}  # fmt: skip
    row = rises[(rises[list(own)] == pd.Series(own)).all(axis=1)]
    expected = table["clip", "OCC3"] - table["clip", "clean"]
    assert row.estimate.item() == pytest.approx(expected)


def test_a_flip_on_top_k_is_found_there(invented: Callable[..., Results]) -> None:
    """Wrong classes last in clean, first in LL3: HR rises at Top-3, stands at 4, falls at 5."""
    present = ("car", "bus", "truck")
    wrong = [c for c in OBJECT_CLASSES if c not in present][:3]
    rest = [c for c in OBJECT_CLASSES if c not in (*present, *wrong)]
    orders = {"clean": [*present[:2], *wrong, present[2], *rest],
              "LL3": [*wrong[:2], *present, wrong[2], *rest]}  # fmt: skip

    def answers(condition: str, scene: int) -> dict[str, object]:
        said = {"labels": tuple(orders[condition]), "scores": tuple(range(10, 0, -1))}
        return {"describe": said, "safety": {"labels": ("safe", "unsafe"), "scores": (1.0, 0.0)}}

    made = invented(answers, present)
    every = multiverse.choices(made)
    curve = multiverse.rise_curve(multiverse.grids(made, every), 50)
    found = multiverse.robustness(curve).set_index("metric")
    row = found.loc["hr"]
    assert (row.verdict, row.outcome, row.alone, row.deciding) == (
        "same", "changes sign", ("top_k",), "top_k"
    )  # fmt: skip
    assert (row.up, row.same, row.down) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    hr = curve[curve.metric == "hr"].groupby("top_k").verdict.unique().map(list)
    assert hr.to_dict() == {"Top-3": ["up"], "Top-4": ["same"], "Top-5": ["down"]}
    effects = multiverse.effects(curve).set_index(["metric", "choice"])
    assert effects.sway["hr", "top_k"] == 1 and effects.sway["hr"].drop("top_k").eq(0).all()
    assert effects.eta2["hr"].idxmax() == "top_k"
    assert found.outcome["smr"] == "robust" and found.deciding["smr"] == ""


def test_a_flip_on_the_safety_rule_is_found_there(invented: Callable[..., Results]) -> None:
    """The model sees a far car only in clean images: right or wrong by the stopping distance."""

    def answers(condition: str, scene: int) -> dict[str, object]:
        far = scene % 2 == 0 and condition == "clean"
        text = "No, it is not safe." if far else "Yes, it is safe."
        return {"describe": {"text": "A car."}, "safety": {"text": text}}

    made = invented(answers, ("car",), ["car in corridor at 13.0 m", "clear"] * 10)
    every = multiverse.choices(made, thresholds=[])
    curve = multiverse.rise_curve(multiverse.grids(made, every), 200)
    row = multiverse.robustness(curve).set_index("metric").loc["smr"]
    assert (row.verdict, row.outcome, row.alone, row.deciding) == (
        "up", "changes sign", ("safety",), "safety"
    )  # fmt: skip
    assert row.agreeing == pytest.approx(6 / 9) and row.specifications == 9
    smr = curve[curve.metric == "smr"]
    assert (smr.verdict == np.where(smr.safety.str.startswith("9.4 m"), "down", "up")).all()


def test_a_choice_of_parser_decides_where_only_words_differ(
    invented: Callable[..., Results],
) -> None:
    """In LL3 the model only says that there is no bus: keyword reading sees a false bus."""

    def answers(condition: str, scene: int) -> dict[str, object]:
        text = "A car." if condition == "clean" else "A car. There is no bus."
        return {"describe": {"text": text}, "safety": {"text": "Yes."}}

    made = invented(answers, ("car",))
    curve = multiverse.rise_curve(multiverse.grids(made, multiverse.choices(made)), 50)
    row = multiverse.robustness(curve).set_index("metric").loc["hr"]
    assert (row.verdict, row.outcome, row.alone) == ("same", "gains significance", ("text",))
    assert (row.same, row.up) == pytest.approx((2 / 3, 1 / 3)) and "ambiguous" not in curve


def test_no_model_library_is_imported() -> None:
    code = (
        "import sys, vlmis_utils.analysis.multiverse;"
        "print([m for m in ('torch', 'transformers', 'open_clip') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
