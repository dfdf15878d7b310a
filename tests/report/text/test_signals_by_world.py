"""Which signals hold in several worlds, on rows made for each case."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from vlmis_utils.analysis.warnings.single import MEAN
from vlmis_utils.report.tables.carry_over import load_warning_signs
from vlmis_utils.report.text.signals_by_world import left_out, signal_agreement, signals_that_hold

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
    (line,) = signal_agreement(rows())
    assert "decide 6 of 10 comparisons both, and agree on 4 of them: critical omission 4 of 6" in (
        line
    )
    assert signal_agreement(rows()[:0]) == []


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
