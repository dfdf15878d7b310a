from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.vlm_checkpoints import GENERATIVE
from vlmis_utils.models.vlm.loading import load_vlm
from vlmis_utils.models.vlm.prefix_cache import (
    FAMILIES,
    Layouts,
    image_token,
    lay_out,
    read,
    why_not_shared,
)
from vlmis_utils.protocol.models import ModelEntry
from vlmis_utils.protocol.prompts import PROMPTS

IMAGE = 9
LENGTHS = (("describe_tokens", 2), ("short_tokens", 2))
TEXT = st.lists(st.integers(0, 8), min_size=1, max_size=6)


@given(TEXT, st.integers(1, 5), st.lists(TEXT, min_size=1, max_size=5))
def test_a_layout_is_its_chats(before: list[int], size: int, after: list[list[int]]) -> None:
    rows = [[*before, *[IMAGE] * size, *tail] for tail in after]
    layout = lay_out(rows, IMAGE)
    assert layout is not None and layout.head.count(IMAGE) == size
    assert [[*layout.head, *tail] for tail in layout.tails] == rows
    assert all(layout.tails)


@given(TEXT, TEXT)
def test_nothing_is_shared_where_questions_come_first(one: list[int], other: list[int]) -> None:
    rows = [[*one, IMAGE, IMAGE], [*other, IMAGE, IMAGE]]
    assert lay_out(rows, IMAGE) is None


def tiny(family: str, folder: Path) -> ModelEntry:
    checkpoint = str(GENERATIVE[family](folder / family))
    return ModelEntry("tiny", "vlm", "transformers-vlm", checkpoint, options=LENGTHS)


def config(family: str, *kinds: str) -> SimpleNamespace:
    text = SimpleNamespace(layer_types=list(kinds) or None)
    own = SimpleNamespace(model_type=family, get_text_config=lambda: text)
    return SimpleNamespace(config=own)


def test_why_a_family_does_not_share() -> None:
    assert all(why_not_shared(config(family)) is None for family in FAMILIES)
    assert "blip-2" in why_not_shared(config("blip-2"))
    sliding = config("llava", "full_attention", "sliding_attention")
    assert "attention" in why_not_shared(sliding)


def test_layouts_are_made_once_for_each_size_and_the_last_are_kept() -> None:
    asked = []

    def inputs(chats: list[str], images: torch.Tensor) -> dict[str, torch.Tensor]:
        asked.append(chats[0])
        size = images.shape[-1]
        return {"input_ids": torch.tensor([[1, *[IMAGE] * size, int(chats[0])]])}

    model = SimpleNamespace(config=SimpleNamespace(image_token_id=IMAGE))
    layouts = Layouts(model, inputs)
    for _ in range(2):
        found = layouts.find(torch.zeros(3, 3, 2, 4), ["5", "6"])
        assert found is not None and found.head == (1, 9, 9, 9, 9) and found.tails == ((5,), (6,))
    assert asked == ["5", "6"]
    for width in range(1, 40):
        layouts.find(torch.zeros(1, 3, 2, width), ["5", "6"])
    assert len(layouts._known) == 16


def test_a_chat_that_begins_otherwise_is_not_read(tmp_path: Path) -> None:
    vlm = load_vlm(tiny("llava", tmp_path))
    images = torch.zeros(1, 3, 64, 128, dtype=torch.uint8)
    chats = [vlm._chat(prompt.text) for prompt in PROMPTS]
    layout = vlm._layouts.find(images, chats)
    inputs = vlm._inputs(chats[:1], images)
    assert read(vlm._model, inputs, layout).length == len(layout.head)
    inputs["input_ids"][0, 0] += 1
    assert read(vlm._model, inputs, layout) is None


@pytest.mark.parametrize("family", ["qwen2_vl", "llava", "smolvlm"])
def test_the_vector_of_an_image_is_the_mean_of_its_tokens(family: str, tmp_path: Path) -> None:
    vlm = load_vlm(tiny(family, tmp_path))
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (2, 3, 64, 128), dtype=torch.uint8, generator=generator)
    answers = vlm.answer(images, PROMPTS)
    inputs = vlm._inputs([vlm._chat("?")], images)
    with torch.inference_mode():
        entered = vlm._model(**inputs, output_hidden_states=True).hidden_states[0]
    for row, ids, tokens in zip(answers, inputs["input_ids"], entered, strict=True):
        mean = tokens[ids == image_token(vlm._model)].mean(dim=0)
        torch.testing.assert_close(torch.tensor(row[0].embedding), mean, atol=1e-4, rtol=1e-3)
        assert all(answer.embedding is None for answer in row[1:])
        assert all(0 <= answer.first_entropy <= 1 for answer in row)


def test_the_run_says_once_that_nothing_is_shared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vlm = load_vlm(tiny("blip2", tmp_path))
    images = torch.zeros(1, 3, 64, 128, dtype=torch.uint8)
    for _ in range(2):
        vlm.answer(images, PROMPTS[:2])
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if "reads each image again" in line] == [
        "tiny: reads each image again for every prompt: not known to hold for the family blip-2"
    ]
