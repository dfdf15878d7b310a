"""Sentences turn with the numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from vlmis_utils.report.text import correlation as words
from vlmis_utils.report.text.correlation import LEVEL_WORDS


def row(r: float, over: str, metric: str = "hr", **more: object) -> dict[str, object]:
    return {"over": over, "metric": metric, "vlm": "clip", "segmenter": "segformer",
            "method": "spearman", "r": r, "low": r - 0.2, "high": r + 0.2, "p": 0.01 if abs(r) > 0.2
            else 0.5, "holm": 0.03 if abs(r) > 0.2 else 1.0, "fisher_low": r - 0.4,
            "fisher_high": r + 0.4, "scene_low": r - 0.1, "scene_high": r + 0.1} | more  # fmt: skip


def four(**values: float) -> pd.DataFrame:
    return pd.DataFrame([row(r, level) for level, r in values.items()])


def test_levels_are_told_apart() -> None:
    frame = four(conditions=-0.8, images=0.0, within=-0.5, between=0.5)
    (sentence,) = words.level_findings(frame)
    assert sentence == (
        "**HR** is over conditions negative in 1 of 1 (−0.80); over pictures told from zero in "
        "none of 1 (0.00); within scenes negative in 1 of 1 (−0.50); between scenes positive in 1 "
        "of 1 (0.50)."
    )


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
    assert "nothing varies" in words.level_findings(frame)[0]
    assert "no interval" in words.interval_finding(frame)
    assert "nan" not in " ".join(words.holm_findings(frame))


def test_tests_and_intervals_are_counted() -> None:
    frame = four(conditions=-0.3, images=0.0, within=-0.5, between=0.5)
    assert "Spearman 0 of 1 below 0.05, 0 after correction" in words.holm_findings(frame)[1]
    assert "Fisher's interval leaves zero out in 0, the interval over scenes in 1" in (
        words.interval_finding(frame)
    )


def test_partial_and_strata() -> None:
    given = pd.DataFrame(
        [row(-0.6, "within", given="nothing"), row(-0.1, "within", given="severity")]
    )
    (sentence,) = words.partial_findings(given)
    assert "given nothing negative in 1 of 1, median size 0.60" in sentence
    assert "given severity told from zero in none of 1" in sentence
    strata = pd.DataFrame(
        [row(-0.6, "images", kind="corruption", stratum="low light"),
         row(0.6, "images", kind="severity", stratum="severity 1")]
    )  # fmt: skip
    (sentence,) = words.strata_findings(strata)
    assert "under low light negative in 1 of 1; at severity 1 positive in 1 of 1" in sentence


def test_shares_alarms_and_richness() -> None:
    rates = {0.0: {"pooled": 0.05, "clustered": 0.04}, 0.6: {"pooled": 0.4, "clustered": 0.06}}
    said = words.false_alarm_finding(rates)
    assert "60 % of the variance, the pooled p calls 40 %" in said and "4 % to 6 %" in said
    shares = pd.DataFrame({"quantity": ["miou", "hr", "hr"], "share": [0.5, 0.2, -0.01]})
    said = words.share_finding(shares)
    assert "50 % of the variance of mIoU and 0 % to 20 % of that of HR" in said
    rich = pd.DataFrame([row(-0.5, "x", quantity="miou"), row(0.0, "x", quantity="hr")])
    said = words.richness_finding(rich)
    assert "for mIoU negative in 1 of 1 models; for HR told from zero in none of 1 models" in said


def test_every_level_has_words() -> None:
    from vlmis_utils.analysis.correlation import LEVELS

    assert list(LEVEL_WORDS) == list(LEVELS)
