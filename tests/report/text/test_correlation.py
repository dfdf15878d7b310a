"""Sentences turn with the numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from vlmis_utils.report.text import correlation as words
from vlmis_utils.report.words import LEVEL_WORDS


def row(r: float, over: str, metric: str = "hr", **more: object) -> dict[str, object]:
    return {"over": over, "metric": metric, "vlm": "clip", "segmenter": "segformer",
            "method": "spearman", "r": r, "low": r - 0.2, "high": r + 0.2, "p": 0.01 if abs(r) > 0.2
            else 0.5, "holm": 0.03 if abs(r) > 0.2 else 1.0, "fisher_low": r - 0.4,
            "fisher_high": r + 0.4, "scene_low": r - 0.1, "scene_high": r + 0.1} | more  # fmt: skip


def four(**values: float) -> pd.DataFrame:
    return pd.DataFrame([row(r, level) for level, r in values.items()])


@pytest.mark.parametrize(
    ("images", "between", "said"),
    [
        (0.0, 0.5, "two relations cancel"),
        (-0.4, 0.5, "is a mixture of the two"),
        (-0.4, -0.5, "In none of the 1 combinations"),
    ],
)
def test_opposition(images: float, between: float, said: str) -> None:
    frame = four(conditions=-0.8, images=images, within=-0.5, between=between)
    assert said in words.opposition_finding(frame)


def test_what_does_not_vary_is_said() -> None:
    frame = four(conditions=-0.8, images=0.0, within=-0.5, between=0.5)
    frame[["r", "low", "high", "scene_low", "fisher_low", "p", "holm"]] = float("nan")
    assert "no interval can be computed" in words.interval_finding(frame)


def test_intervals_are_counted() -> None:
    frame = four(conditions=-0.3, images=0.0, within=-0.5, between=0.5)
    assert "excludes zero in 0, the interval over scenes in 1" in words.interval_finding(frame)


def test_every_level_has_words() -> None:
    from vlmis_utils.analysis.correlation import LEVELS

    assert list(LEVEL_WORDS) == list(LEVELS)


def test_what_is_left_of_correlations_given_severity() -> None:
    given = ["nothing", "severity", "severity and corruption"]
    frame = pd.DataFrame(
        {"method": "spearman", "over": over, "given": g, "r": sign * r}
        for over, sizes in {"images": (0.4, 0.3, 0.1), "within": (0.5, 0.4, 0.2)}.items()
        for g, r in zip(given, sizes, strict=True) for sign in (-1, 1, 1)
    )  # fmt: skip
    said = words.given_finding(frame)
    assert said.endswith("goes from 0.40 to 0.10 over images and from 0.50 to 0.20 within scenes.")
    assert "too few" in words.given_finding(frame.assign(r=float("nan")))
