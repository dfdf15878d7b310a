"""Which signals hold in several worlds, on rows made for each case."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from vlmis_utils.analysis.carry_over import agreement
from vlmis_utils.analysis.warnings.single import MEAN
from vlmis_utils.report.tables.carry_over import load_warning_models, load_warning_signs
from vlmis_utils.report.text.carry_over import agreement_lines
from vlmis_utils.report.text.signals_by_world import left_out, signals_that_hold, together

SIGNS = {
    "noise": (1, 1), "contrast": (1, -1), "brightness": (1, 0), "sharpness": (0, -1),
    "distance": (1, None), "miou": (1, 1),
}  # fmt: skip


def rows() -> pd.DataFrame:
    found = []
    for signal, signs in SIGNS.items():
        for world, sign in zip(("here", "there"), signs, strict=True):
            if sign is None:
                continue
            for vlm in ("a", "b", MEAN):
                found.append(
                    {"finding": "omission", "over": "", "signal": signal, "vlm": vlm,
                     "key": f"{signal} {vlm}", "world": world, "value": 0.5 + 0.2 * sign,
                     "low": 0.45 + 0.2 * sign, "high": 0.55 + 0.2 * sign, "sign": sign}
                )  # fmt: skip
    return pd.DataFrame(found)


def test_signals_that_warn_everywhere_are_named_and_those_that_turn_counted() -> None:
    (line,) = signals_that_hold(rows())
    assert line.startswith("**Critical omission**: 1 of 4 signals warn in every world: “noise”;")
    assert "1 warn in one and mislead in another, " in line
    assert line.endswith("1 warn in some and are open elsewhere, and 1 warn in none.")
    assert signals_that_hold(rows().query("world == 'here'")) == []


def test_agreement_counts_each_model_and_no_mean() -> None:
    each = agreement(rows()[lambda f: f.vlm != MEAN])
    (line,) = agreement_lines(each, {}, counted=True)
    assert "decide 6 of 10 comparisons both: 4 alike, 2 the opposite way" in line
    assert line.endswith("Alike are critical omission 4 of 6.")
    assert agreement_lines(agreement(rows()[:0]), {}, counted=True) == []


def test_what_one_world_lacks_is_said_with_its_reason() -> None:
    kept, own = SimpleNamespace(kept=True), SimpleNamespace(kept=False)
    said = left_out(rows(), {"here": own, "there": kept})
    assert "there lacks “distance of the embedding”: records that are kept" in said
    assert "records that are kept" not in left_out(rows(), {"here": own, "there": own})
    same = rows()[lambda f: f.signal != "distance"]
    assert left_out(same, {}) == "All worlds have the same signals."
    assert "No failure" in left_out(rows()[:0], {})


def test_a_table_has_a_column_for_each_world() -> None:
    table = load_warning_signs(rows(), "omission")
    assert list(table.columns) == ["signal: more doubt with", "here", "there"]
    assert table.there.tolist()[4] == "–" and table.here[0].startswith("0.70")


def test_what_signals_are_worth_together_is_said_of_each_world() -> None:
    rows = pd.DataFrame(
        [
            {"world": world, "vlm": "a", "target": target, "features": "all signals",
             "protocol": protocol, "auc": auc, "low": auc - 0.05, "high": auc + 0.05}
            for world in ("here", "there") for target in ("omission", "wrong call")
            for protocol, auc in (("new scenes", 0.7), ("known corruption", 0.65),
                                  ("new corruption", 0.6 if target == "omission" else 0.54))
            if world == "here" or protocol == "new scenes"
        ]
    )  # fmt: skip
    here, there = together(rows)
    assert here.startswith("**here**: on new scenes the mean AUC is 0.70, with 2 of 2 intervals")
    assert "never seen the mean AUC is 0.57, against 0.65" in here and "in 1 of 2 pairs" in here
    assert there.endswith("none can be left out.")
    table = load_warning_models(rows, {"a": "A"})
    assert list(table.columns) == ["failure", "model", "judged on", "here", "there"]
    assert table.there.tolist().count("–") == 4 and together(rows[:0]) == []
