"""Sentences about photographs say where records are from."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from vlmis_utils.report.text import photographs as words


@pytest.mark.parametrize("kept", [True, False])
def test_the_origin_says_whether_the_photographs_were_at_hand(kept: bool) -> None:
    row = {"dataset": "cityscapes", "split": "test", "height": 320, "width": 640}
    results = SimpleNamespace(
        scenes=pd.DataFrame([row]), records=Path("book/measured/cityscapes-small/records")
    )
    said = words.origin(SimpleNamespace(kept=kept, results=results))
    assert "1 scene of Cityscapes" in said
    assert ("No model ran" in said) == kept == ("params/cityscapes-small.yaml" in said)


def _world(name: str, folder: Path, digests: dict[str, str]) -> SimpleNamespace:
    folder.mkdir()
    models = {model: {"digest": digest} for model, digest in digests.items()}
    (folder / "run.json").write_text(json.dumps({"models": models}))
    return SimpleNamespace(name=name, results=SimpleNamespace(records=folder))


def test_models_of_other_weights_are_named(tmp_path: Path) -> None:
    one = _world("CamVid", tmp_path / "one", {"a": "1", "b": "2", "c": "3"})
    other = _world("Cityscapes", tmp_path / "other", {"a": "1", "b": "9"})
    said = words.other_weights(one, other)
    assert "`b`" in said and "`a`" not in said and "`c`" not in said
    assert words.other_weights(one, one) == ""


def _changes(lows: list[float], highs: list[float], kept: bool = True) -> SimpleNamespace:
    frames = {
        "misalignment_changes": pd.DataFrame({"metric": "cor", "condition": "LL3", "low": lows}),
        "correlations": pd.DataFrame({
            "metric": "smr", "method": "spearman", "over": ["conditions", "between"],
            "high": highs,
        }),
    }  # fmt: skip
    results = SimpleNamespace(scenes=range(7))
    return SimpleNamespace(kept=kept, results=results, summary=frames.__getitem__)


@pytest.mark.parametrize(
    ("lows", "highs", "whole"),
    [
        ([0.1, 0.1, -0.1], [-0.1, 0.1], "all of this"),
        ([0.1, -0.1, -0.1], [-0.1, 0.1], "part of this"),
        ([-0.1, -0.1, -0.1], [0.1, -0.1], "nothing of this"),
    ],
)
def test_the_cover_counts_what_photographs_show(
    lows: list[float], highs: list[float], whole: str
) -> None:
    said = words.cover_line({"CamVid": _changes(lows, highs)})
    assert said.startswith(f"**On photographs, {whole} shows again.** On 7 frames of CamVid")
    assert f"in {sum(low > 0 for low in lows)} of 3 comparisons" in said
    assert f"and which image is in {int(highs[1] < 0)}." in said
    assert words.cover_line({"CamVid": _changes(lows, highs, kept=False)}) == ""
