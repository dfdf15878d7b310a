"""Facts about recipes and what training cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlmis_utils.core.errors import UserError
from vlmis_utils.training.recipes import facts, train_segmenters, train_vlms
from vlmis_utils.training.weights import MODELS


@pytest.mark.parametrize("name", MODELS)
def test_every_model_has_a_recipe_and_stages_with_logs(name: str) -> None:
    lines = facts.recipe(name)
    assert lines and all(line.endswith(".") for line in lines)
    for _, file in facts.STAGES[name]:
        assert len(facts.load_log(file)), file


def test_facts_are_those_of_the_programs() -> None:
    made = train_segmenters.RECIPES["segformer"]
    text = " ".join(facts.recipe("segformer"))
    assert f"{made.lr:g}" in text and f"{made.phases[0].height} x {made.phases[0].width}" in text
    assert "sigmoid" in " ".join(facts.recipe("siglip"))
    assert set(facts.STAGES) == {*train_segmenters.RECIPES, *train_vlms.RECIPES}
    with pytest.raises(UserError, match="did you mean 'clip'"):
        facts.recipe("clipp")


def test_training_on_goes_on_counting(tmp_path: Path) -> None:
    (tmp_path / "segformer.csv").write_text(
        "step,minutes,loss,metric\n100,2,1.0,0.1\n200,4,0.9,0.2\n100,1.5,0.8,0.3\n150,3,0.7,0.4\n"
    )
    log = facts.load_log("segformer", tmp_path)
    assert log.step.tolist() == [100, 200, 300, 350]
    assert log.minutes.tolist() == [2, 4, 5.5, 7]
    assert log.part.tolist() == [1, 1, 2, 2]
    cost = facts.costs(tmp_path)
    assert len(cost) == 1 and cost.minutes[0] == 7 and cost.metric[0] == 0.4
    assert facts.load_log("none", tmp_path).empty
