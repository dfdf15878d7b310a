"""Sentences turn with the numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from vlmis_utils.analysis.failure_prediction import FEATURE_SETS, GAINS, Foresight
from vlmis_utils.report.text import prediction as words

WORDS = {"miou": "mIoU", "iou_person": "person IoU", "corridor_accuracy": "corridor accuracy"}


def rivals(person: float, corridor: float) -> pd.DataFrame:
    rows = []
    for over in ("within", "between"):
        for quality, gain in (
            ("miou", float("nan")), ("iou_person", person), ("corridor_accuracy", corridor)
        ):  # fmt: skip
            rows += [
                {"over": over, "quality": quality, "metric": "hr", "vlm": vlm, "gain": gain,
                 "gain_low": gain - 0.1, "gain_high": gain + 0.1, "gain_p": 0.01,
                 "gain_holm": 0.02 if abs(gain) > 0.1 else 1.0}
                for vlm in ("clip", "siglip")
            ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_best_rival_is_named_with_what_it_loses() -> None:
    sentence = words.rival_findings(rivals(0.3, -0.3), WORDS)[0]
    assert sentence.startswith("**Within scenes** another measure is the better proxy in 2 of 4")
    assert "the worse one in 2; after Holm's correction 2 and 2 are left" in sentence
    assert "for HR person IoU, in 2 of 2 pairs (worse in 0)" in sentence
    assert "for HR none in any pair" in words.rival_findings(rivals(0.0, 0.0), WORDS)[0]


@pytest.mark.parametrize(
    ("person", "said"),
    [(0.3, "The person IoU is so in all of them: mIoU is the blinder"),
     (0.0, "does not show mIoU to be blinder"), (-0.3, "does not show mIoU to be blinder")],
)  # fmt: skip
def test_blindness_follows_the_gains(person: float, said: str) -> None:
    assert said in words.blindness_finding(rivals(person, -0.2), WORDS)


def test_blindness_in_one_place_only() -> None:
    frame = rivals(0.3, 0.0)
    between = frame.over == "between"
    frame.loc[between, ["gain", "gain_low", "gain_high"]] -= 0.3
    said = words.blindness_finding(frame, WORDS)
    assert "1 have a measure" in said and "HR within scenes (person IoU)" in said
    assert "No measure is so in all 2" in said


def foresight(gain: float, auc: float = 0.7) -> Foresight:
    scores = pd.DataFrame(
        {"metric": "cor", "vlm": "clip", "segmenter": "segformer", "features": list(FEATURE_SETS),
         "rate": 0.4, "auc": auc, "slope": 0.5, "slope_low": 0.3, "slope_high": 0.8, "skill": 0.1,
         "skill_low": 0.05, "skill_high": 0.15, "ece": 0.03, "reason": "it always or never happens"}
    )  # fmt: skip
    gains = pd.DataFrame(
        [{"metric": "cor", "vlm": "clip", "segmenter": "segformer", "features": f, "against": a,
          "gain": gain, "low": gain - 0.05, "high": gain + 0.05, "holm": 0.01} for f, a in GAINS]
    )  # fmt: skip
    return Foresight(scores, gains, pd.DataFrame())


@pytest.mark.parametrize(
    ("gain", "said"),
    [(0.1, "mIoU added to the condition gains in 1 of 1"),
     (-0.1, "mIoU added to the condition loses in 1 of 1"),
     (0.0, "mIoU added to the condition is not told apart in any of 1"),
     (float("nan"), "nothing can be compared")],
)  # fmt: skip
def test_gains(gain: float, said: str) -> None:
    (sentence,) = words.gain_findings(foresight(gain))
    assert said in sentence and "nan" not in sentence


def test_outcomes_and_calibration() -> None:
    (sentence,) = words.outcome_findings(foresight(0.1))
    assert "AUC 0.70 from the condition alone and 0.70 from mIoU" in sentence
    (sentence,) = words.outcome_findings(foresight(0.1, float("nan")))
    assert "it always or never happens" in sentence
    (sentence,) = words.calibration_findings(foresight(0.1))
    assert "below 1 beyond the interval in 1 of 1" in sentence and "in 1 of 1 (skill" in sentence
