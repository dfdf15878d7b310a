"""The committed checkpoints that saw photographs: named, small, loadable, measured."""

from __future__ import annotations

import pytest
import torch

from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.models.vlm.loading import load_vlm
from vlmis_utils.protocol.models import load_catalogue
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.training.evaluation import goals, store
from vlmis_utils.training.evaluation.card_texts import TEXTS
from vlmis_utils.training.photographs import IMAGE_SIZE
from vlmis_utils.training.weights import DATA, MODELS

FOLDER = DATA["cityscapes"]
TEXT = TEXTS["cityscapes"]
NAMES = tuple(name for name in MODELS if name + TEXT.suffix in load_catalogue())
ENTRIES = {name: load_catalogue()[name + TEXT.suffix] for name in NAMES}


def _frames(count: int) -> torch.Tensor:
    noise = torch.randint(
        0, 256, (count, 3, *IMAGE_SIZE), generator=torch.Generator().manual_seed(0)
    )
    return noise.to(torch.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_the_catalogue_finds_it_and_it_answers(name: str) -> None:
    entry = ENTRIES[name]
    assert entry.checkpoint.endswith(f"cityscapes/checkpoints/{name}")
    assert "not for commercial use" in entry.licence
    if entry.kind == "segmenter":
        maps = load_segmenter(entry).predict(_frames(1))
        assert maps.shape == (1, *IMAGE_SIZE) and int(maps.max()) < 19
    else:
        assert len(load_vlm(entry).answer(_frames(1), PROMPTS)[0]) == len(PROMPTS)


def test_all_together_stay_below_fifty_megabytes() -> None:
    files = [path for folder in DATA.values() for path in folder.rglob("*.safetensors")]
    assert len(files) == len(MODELS) + len(NAMES)
    assert sum(path.stat().st_size for path in files) < 50e6


@pytest.mark.parametrize("file", ["clean.csv", "baselines.csv", "failures.csv"])
def test_its_numbers_are_of_it(file: str) -> None:
    rows = store.read(file, FOLDER.parent / "quality")
    assert list(dict.fromkeys(rows.model)) == list(NAMES), "run `make quality DATA=cityscapes`"
    stale = [m for m, g in rows.groupby("model") if set(g.digest) != {store.digest(m, FOLDER)}]
    assert not stale, f"numbers of earlier checkpoints of {stale}"
    assert set(rows.scenes) == {"cityscapes test, 333 frames"}


def test_every_goal_is_judged() -> None:
    judged = goals.judge(store.read("clean.csv", FOLDER.parent / "quality"), TEXT.goals)
    assert len(judged) == sum(name in goal.models for goal in TEXT.goals for name in NAMES)
    assert judged.value.between(0, 1).all()


@pytest.mark.parametrize("name", NAMES)
def test_its_card_names_the_terms_and_its_numbers(name: str) -> None:
    text = (FOLDER / name / "README.md").read_text(encoding="utf-8")
    assert "cityscapes-dataset.com/license" in text and "non-commercial research" in text
    assert store.digest(name, FOLDER) in text
    assert "license: other" in text
