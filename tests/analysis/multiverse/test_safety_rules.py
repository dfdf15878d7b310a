"""Recorded safety reasons are read back as they were written, and other rules follow from them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmis_utils.analysis.multiverse.safety_rules import (
    SafetyRule,
    has_geometry,
    parse_reason,
    relabel,
)
from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.classes import IGNORE, pixel_counts
from vlmis_utils.protocol.image_corridor import corridor_mask, image_rule
from vlmis_utils.protocol.safety_label import (
    STOPPING_DISTANCE,
    STOPPING_TIME,
    Footprint,
    corridor_distance,
    entry,
    judge,
    stopping_distance,
)

USERS = st.lists(
    st.builds(
        Footprint, st.sampled_from(["pedestrian", "car", "motorcyclist"]), st.floats(-4, 4),
        st.floats(1, 25), st.floats(0, 3), st.floats(0.5, 5), st.floats(0.5, 2),
        st.tuples(st.floats(-3, 3), st.just(0.0)),
    ), max_size=4,
)  # fmt: skip
LIGHTS = st.sampled_from(["red", "amber", "green", None])
SIGNS = st.one_of(st.none(), st.floats(5, 40))


def table(judged: list[tuple[bool, str]], counts: list[np.ndarray] | None = None) -> pd.DataFrame:
    safe, reasons = zip(*judged, strict=True)
    counts = counts or [np.zeros(19)] * len(safe)
    return pd.DataFrame({"safe": safe, "safety_reason": reasons, "corridor_counts": counts})


@settings(max_examples=60, deadline=None)
@given(USERS, LIGHTS, SIGNS)
def test_a_reason_says_what_judge_saw(
    users: list[Footprint], light: str | None, sign: float | None
) -> None:
    safe, text = judge(users, light, stop_sign=sign)
    reason = parse_reason(text)
    near = min((corridor_distance(u) for u in users), default=math.inf)
    assert safe == (text == "clear")
    assert reason.light == (light if light in ("red", "amber") else "")
    if near <= STOPPING_DISTANCE:
        assert reason.distance == pytest.approx(near, abs=0.051)
        assert reason.user in {u.kind for u in users}
    else:
        assert reason.distance == math.inf and reason.user == ""
    times = [entry(u) for u in users if corridor_distance(u) > STOPPING_DISTANCE]
    times = sorted(t for t in times if t <= STOPPING_TIME)
    assert [t for *_, t in reason.coming] == pytest.approx(times, abs=0.051)
    counts = sign is not None and light is None
    assert reason.stop_sign == (pytest.approx(sign, abs=0.051) if counts else math.inf)


@settings(max_examples=60, deadline=None)
@given(USERS, LIGHTS, st.floats(4, STOPPING_DISTANCE))
def test_a_shorter_distance_is_what_judge_would_have_said(
    users: list[Footprint], light: str | None, limit: float
) -> None:
    near = min((corridor_distance(u) for u in users), default=math.inf)
    recorded = table([judge(users, light)])
    edges = [near, *(corner for u in users for corner in u.corners()[:, 1])]
    if all(abs(edge - limit) > 0.051 for edge in edges):
        assert relabel(recorded, SafetyRule(limit))[0] == judge(users, light, limit)[0]
        assert relabel(recorded, SafetyRule(limit, ()))[0] == judge(users, None, limit)[0]
        only_red = light if light == "red" else None
        assert relabel(recorded, SafetyRule(limit, ("red",)))[0] == judge(users, only_red, limit)[0]


@settings(max_examples=80, deadline=None)
@given(USERS, LIGHTS, SIGNS, st.floats(0, STOPPING_TIME), st.booleans())
def test_less_foresight_and_no_signs_are_what_judge_would_have_said(
    users: list[Footprint], light: str | None, sign: float | None, horizon: float, signs: bool
) -> None:
    recorded = table([judge(users, light, stop_sign=sign)])
    times = [entry(u) for u in users if corridor_distance(u) > STOPPING_DISTANCE]
    if all(abs(time - horizon) > 0.051 for time in times):
        rule = SafetyRule(STOPPING_DISTANCE, horizon=horizon, signs=signs)
        said = judge(users, light, horizon=horizon, stop_sign=sign if signs else None)
        assert relabel(recorded, rule)[0] == said[0]


def test_a_reason_that_was_recorded_before_there_was_foresight_is_still_read() -> None:
    scenes = table([(False, "car in corridor at 12.0 m"), (True, "clear"), (False, "amber light")])
    assert relabel(scenes, SafetyRule(STOPPING_DISTANCE)).tolist() == [False, True, False]


@pytest.mark.parametrize("threshold", [0.005, 0.02, 0.08])
def test_image_rule_from_counts_is_the_image_rule(threshold: float) -> None:
    rng = np.random.default_rng(0)
    maps = [np.where(rng.random((40, 60)) < share, 13, rng.choice([0, 2, IGNORE], (40, 60)))
            for share in (0.0, 0.01, 0.03, 0.05, 0.1, 0.5)]  # fmt: skip
    maps = [m.astype(np.uint8) for m in maps]
    inside = [pixel_counts(m[corridor_mask(*m.shape)]) for m in maps]
    scenes = table([image_rule(m) for m in maps], inside)
    expected = [image_rule(m, threshold)[0] for m in maps]
    assert relabel(scenes, SafetyRule(threshold=threshold)).tolist() == expected
    assert not has_geometry(scenes)
    shares = [parse_reason(text).share for text in scenes.safety_reason if text != "clear"]
    assert all(0.005 <= share <= 1 for share in shares) and shares


def test_a_label_of_the_image_rule_stays_under_a_geometric_rule() -> None:
    scenes = table([(False, "car covers 7% of the corridor"), (False, "red light")])
    assert relabel(scenes, SafetyRule(9.4, ())).tolist() == [False, True]
    assert relabel(scenes, SafetyRule()).tolist() == [False, False]
    assert has_geometry(scenes) and not has_geometry(scenes[:1])


def test_unknown_words_and_too_long_distances_are_refused() -> None:
    with pytest.raises(UserError, match="unknown safety reason 'fog'"):
        parse_reason("fog")
    with pytest.raises(UserError, match="within 17.0 m"):
        SafetyRule(limit=stopping_distance(50 / 3.6))
    with pytest.raises(UserError, match="within 3.1 s"):
        SafetyRule(horizon=4.0)
