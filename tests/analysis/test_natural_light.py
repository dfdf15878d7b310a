"""Dusk beside Table 1: what is read off the ladder at the luma of dusk, and the difference."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmis_utils.analysis.natural_light import DUSK, LADDER, compare_light

LUMA = {"clean": 0.4, "LL1": 0.3, "LL2": 0.2, "LL3": 0.1}


def made_up(rng: np.random.Generator, day: int, dusk: int, at: float) -> SimpleNamespace:
    """Return results in which a rate equals luma under every condition, dusk at a luma."""
    scenes = [f"camvid-train-0016E5_{i}" for i in range(day)]
    night = [f"camvid-train-0001TP_{i}" for i in range(dusk)]
    conditions, images, counts = [], [], []
    for scene in scenes + night:
        for condition in LADDER:
            level = LUMA[condition] if scene in scenes else at
            level += 0.02 * rng.normal()
            conditions.append({"scene_id": scene, "condition": condition, "luma": level})
            rates = dict.fromkeys(("hr_i", "omitted", "smr_i", "f1"), level)
            images.append({"vlm": "a", "scene_id": scene, "condition": condition} | rates)
            hits = int(1000 * level)
            matrix = np.zeros((19, 19), int)
            matrix[0, 0], matrix[0, 1], matrix[1, 1] = hits, 1000 - hits, 50
            counts.append(
                {"segmenter": "s", "scene_id": scene, "condition": condition, "confusion": matrix}
            )
    return SimpleNamespace(
        scenes=pd.DataFrame(
            {"scene_id": scenes + night, "safe": [True] * day + [False] * dusk}
        ),
        conditions=pd.DataFrame(conditions),
        segmentation=pd.DataFrame(counts), vlm_per_image=lambda: pd.DataFrame(images),
    )  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 999), st.floats(0.15, 0.35))
def test_where_a_rate_is_luma_itself_dusk_and_the_ladder_agree(seed: int, at: float) -> None:
    light = compare_light([made_up(np.random.default_rng(seed), 12, 9, at)], 60)
    rows = light.matched[light.matched.measure != "miou"]
    np.testing.assert_allclose(rows.difference, 0, atol=1e-9)
    np.testing.assert_allclose(rows.natural, rows.synthetic)
    luma = light.luma.set_index("light").luma
    assert luma[DUSK] == pytest.approx(at, abs=0.03)
    assert (rows.natural - (luma[DUSK] - luma["clean"])).abs().max() < 1e-9


def test_miou_is_that_of_the_frames_of_each_light() -> None:
    made = made_up(np.random.default_rng(3), 8, 6, 0.22)
    light = compare_light([made], 40)
    frame = made.segmentation
    night = frame.scene_id.str.contains("0001TP")
    part = np.stack(list(frame[night & (frame.condition == "clean")].confusion)).sum(axis=0)
    union = part.sum(axis=0) + part.sum(axis=1) - np.diag(part)
    expected = (np.diag(part)[:2] / union[:2]).mean()
    levels = light.levels.set_index(["measure", "light"]).value
    assert levels["miou", DUSK] == pytest.approx(expected)


@pytest.mark.parametrize(("at", "rung"), [(0.9, "clean"), (0.02, "LL3"), (0.24, None)])
def test_off_the_ladder_the_nearest_rung_stands_for_it(at: float, rung: str | None) -> None:
    light = compare_light([made_up(np.random.default_rng(0), 8, 6, at)], 40)
    assert light.nearest == rung
    if rung is None:
        assert light.gap is None
        return
    luma = light.luma.set_index("light").luma
    assert light.gap.value == pytest.approx(luma["dusk"] - luma[rung])
    assert light.gap.low < light.gap.value < light.gap.high
    levels = light.levels.set_index(["model", "measure", "light"])
    for row in light.matched.itertuples():
        value = {k: levels.loc[(row.model, row.measure, k)].value for k in ("dusk", rung, "clean")}
        assert row.difference == pytest.approx(value["dusk"] - value[rung])
        assert row.synthetic == pytest.approx(value[rung] - value["clean"])
        assert row.difference_low <= row.difference <= row.difference_high


def test_the_share_of_unsafe_frames_is_that_of_each_light() -> None:
    light = compare_light([made_up(np.random.default_rng(0), 8, 6, 0.2)], 40)
    assert light.luma.set_index("light").unsafe.to_dict() == dict.fromkeys(LADDER, 0.0) | {DUSK: 1}


def test_a_frame_of_two_runs_counts_once_and_what_is_missing_is_none() -> None:
    made = made_up(np.random.default_rng(0), 8, 6, 0.2)
    twice = compare_light([made, made], 40)
    pd.testing.assert_frame_equal(twice.matched, compare_light([made], 40).matched)
    assert compare_light([made_up(np.random.default_rng(0), 8, 0, 0.2)], 40) is None
    made.conditions["luma"] = np.nan
    assert compare_light([made], 40) is None


def test_a_model_that_did_not_see_every_light_is_left_out() -> None:
    made = made_up(np.random.default_rng(0), 8, 6, 0.2)
    some = made.segmentation[made.segmentation.condition != "LL2"].assign(segmenter="t")
    made.segmentation = pd.concat([made.segmentation, some])
    assert set(compare_light([made], 40).levels.model) == {"s", "a"}
