"""Outcomes by definition; effects against an analysis of variance and against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from vlmis_utils.analysis.multiverse import disputed, effects, robustness, rows_of
from vlmis_utils.analysis.multiverse.curves import CONCLUSION, tidy
from vlmis_utils.core.errors import UserError

LEVELS = {"a": ("a0", "a1", "a2"), "b": ("b0", "b1"), "c": ("c0", "c1")}


def curve(verdicts: list[str], estimates: list[float] | None = None, **names: str) -> pd.DataFrame:
    """A full factorial of LEVELS with given verdicts in the order of the product."""
    frame = pd.DataFrame(itertools.product(*LEVELS.values()), columns=list(LEVELS))
    named = dict.fromkeys(CONCLUSION, "") | {"kind": "rise", "vlm": "v", "metric": "hr"} | names
    values = np.zeros(len(frame)) if estimates is None else np.asarray(estimates)
    return tidy([frame.assign(
        **named, own=np.arange(len(frame)) == 0, estimate=values, low=values, high=values,
        verdict=verdicts,
    )])  # fmt: skip


@pytest.mark.parametrize(
    ("verdicts", "outcome", "agreeing"),
    [
        (["up"] * 12, "robust", 1.0),
        (["same"] * 12, "robust", 1.0),
        (["up"] * 9 + ["same"] * 3, "loses significance", 0.75),
        (["same"] * 6 + ["down"] * 6, "gains significance", 0.5),
        (["up"] * 11 + ["down"], "changes sign", 11 / 12),
        (["same"] * 10 + ["up", "down"], "changes sign", 10 / 12),
    ],
)
def test_outcomes(verdicts: list[str], outcome: str, agreeing: float) -> None:
    row = robustness(curve(verdicts)).iloc[0]
    assert (row.outcome, row.verdict) == (outcome, verdicts[0])
    assert row.agreeing == pytest.approx(agreeing) and row.specifications == 12
    assert row.up + row.same + row.down == pytest.approx(1)
    assert (row.deciding == "") == (outcome == "robust")


@pytest.mark.parametrize("seed", range(3))
def test_variance_shares_are_those_of_an_analysis_of_variance(seed: int) -> None:
    smf = pytest.importorskip("statsmodels.formula.api")
    from statsmodels.stats.anova import anova_lm

    values = np.random.default_rng(seed).normal(size=12)
    frame = curve(["same"] * 12, values)
    found = effects(frame.sample(frac=1, random_state=seed)).set_index("choice").eta2
    table = anova_lm(smf.ols("estimate ~ C(a) + C(b) + C(c)", frame).fit()).sum_sq
    for key in LEVELS:
        assert found[key] == pytest.approx(table[f"C({key})"] / table.sum())
    assert found.sum() <= 1 + 1e-12


@pytest.mark.parametrize("seed", range(3))
def test_sway_and_alone_by_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    verdicts = rng.choice(["up", "same", "down"], 12, p=[0.6, 0.2, 0.2]).tolist()
    frame = curve(verdicts)
    found = effects(frame.sample(frac=1, random_state=seed)).set_index("choice")
    told = dict(zip(itertools.product(*LEVELS.values()), verdicts, strict=True))
    own = tuple(levels[0] for levels in LEVELS.values())
    for axis, (key, levels) in enumerate(LEVELS.items()):

        def line(at: tuple[str, ...], axis: int = axis, levels: tuple[str, ...] = levels) -> set:
            return {told[*at[:axis], level, *at[axis + 1 :]] for level in levels}

        settings = {(*at[:axis], "", *at[axis + 1 :]): line(at) for at in told}
        assert found.sway[key] == np.mean([len(v) > 1 for v in settings.values()])
        assert found.alone[key] == (line(own) != {told[own]})
        assert found.levels[key] == len(levels)


def test_an_estimate_that_does_not_vary_or_cannot_be_had() -> None:
    assert effects(curve(["up"] * 12)).eta2.eq(0).all()
    gaps = curve(["same"] * 12, [np.nan] * 3 + [1.0] * 9)
    assert effects(gaps).eta2.isna().all() and robustness(gaps).outcome.item() == "robust"


def test_pooling_counts_segmenter_and_method_as_choices() -> None:
    parts = [
        curve([verdict] * 12, kind="correlation", segmenter=segmenter, method=method)
        for segmenter, verdict in (("x", "down"), ("y", "same")) for method in ("m", "n")
    ]  # fmt: skip
    rise = curve(["up"] * 12, condition="LL3")
    frame = pd.concat([rise, *parts], ignore_index=True)
    assert len(robustness(frame)) == 5 and set(robustness(frame).outcome) == {"robust"}
    pooled = robustness(frame, pool=("segmenter", "method")).set_index("kind")
    row = pooled.loc["correlation"]
    assert (row.specifications, row.verdict, row.outcome) == (48, "down", "loses significance")
    assert row.alone == ("segmenter",) and row.deciding == "segmenter"
    assert pooled.loc["rise"].specifications == 12 and pooled.loc["rise"].outcome == "robust"
    rows = rows_of(
        frame, robustness(frame, ("segmenter", "method")).iloc[1], ("segmenter", "method")
    )
    assert len(rows) == 48 and rows.own.sum() == 1 and rows.segmenter[rows.own].item() == "x"


def test_dispute_puts_least_agreement_and_then_widest_range_first() -> None:
    frame = pd.concat([
        curve(["up"] * 12, np.linspace(1, 2, 12).tolist(), condition="LL3"),
        curve(["up"] * 12, np.linspace(1, 3, 12).tolist(), condition="MB3"),
        curve(["up"] * 11 + ["same"], condition="OCC3"),
    ])  # fmt: skip
    assert disputed(robustness(frame)).condition.tolist() == ["OCC3", "MB3", "LL3"]


def test_misuse_is_named() -> None:
    frame = curve(["up"] * 12)
    with pytest.raises(UserError, match="11 rows, which are not all combinations of a, b, c"):
        robustness(frame.iloc[:-1])
    with pytest.raises(UserError, match="only segmenter and method"):
        robustness(frame, pool=("vlm",))
    with pytest.raises(UserError, match="no conclusion rise v hr LL9"):
        rows_of(frame, robustness(frame).iloc[0].replace("", "LL9"))
