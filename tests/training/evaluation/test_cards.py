"""Model cards in the hub's format, checked with the hub's own reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from tests.helpers.embedded import write_quality
from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.models import load_catalogue
from vlmis_utils.training.evaluation import cards, store
from vlmis_utils.training.weights import CHECKPOINTS, MODELS


@pytest.mark.parametrize("name", MODELS)
def test_a_card_loads_and_its_index_holds_the_numbers(name: str, tmp_path: Path) -> None:
    write_quality(tmp_path)
    clean, baselines = (store.read(f"{n}.csv", tmp_path) for n in ("clean", "baselines"))
    path = tmp_path / "README.md"
    path.write_text(cards.card(load_catalogue()[name], clean, baselines), encoding="utf-8")
    data = ModelCard.load(path).data
    assert data.license == "mit" and data.model_name and data.library_name
    assert data.pipeline_tag == cards._TASKS[name][0] and name in data.tags
    own = clean[(clean.model == name) & (clean["class"] == "")].dropna(subset=["low"])
    index = {r.metric_name: r.metric_value for r in data.eval_results}
    assert index == pytest.approx(dict(zip(own.measure, own.value, strict=True)))
    text = ModelCard.load(path).text
    assert f"checkpoints/{name}" in text and "make weights" in text
    for line in text.splitlines():
        assert not line.startswith("|") or line.endswith("|")


def test_a_model_without_numbers_gets_no_card(tmp_path: Path) -> None:
    write_quality(tmp_path, models=("clip",))
    clean = store.read("clean.csv", tmp_path)
    with pytest.raises(UserError, match="make quality"):
        cards.card(load_catalogue()["siglip"], clean, clean)
    written = cards.write_cards(checkpoints=tmp_path, quality=tmp_path)
    assert [p.parent.name for p in written] == ["clip"]


@pytest.mark.parametrize("name", MODELS)
def test_committed_cards_are_what_the_numbers_say(name: str) -> None:
    path = CHECKPOINTS / name / "README.md"
    clean, baselines = (store.read(f"{n}.csv") for n in ("clean", "baselines"))
    wanted = cards.card(load_catalogue()[name], clean, baselines)
    assert path.exists() and path.read_text(encoding="utf-8") == wanted, "run `make quality`"
