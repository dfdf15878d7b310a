"""Answers side by side in one sequence: token for token those of one ``generate`` a prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.helpers.vlm_checkpoints import GENERATIVE
from vlmis_utils.corruptions.corrupt import corrupt
from vlmis_utils.datasets.registry import open_dataset
from vlmis_utils.models.vlm.generative import Generative
from vlmis_utils.models.vlm.loading import load_vlm
from vlmis_utils.models.vlm.packed_decoding import Rules, decode
from vlmis_utils.models.vlm.prefix_cache import read
from vlmis_utils.protocol.conditions import CONDITIONS
from vlmis_utils.protocol.models import ModelEntry, find_model, load_catalogue
from vlmis_utils.protocol.prompts import PROMPTS, Prompt

SCENES = 3
TIE = 1e-4  # of two logits, which rounding may then swap


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    """30 scene-conditions, uint8 (30, 3, 256, 512)."""
    scenes = list(open_dataset("streetworld", split="test", limit=SCENES))
    clean = torch.from_numpy(np.stack([scene.image() for scene in scenes])).permute(0, 3, 1, 2)
    names = [scene.scene_id for scene in scenes]
    degraded = [corrupt(clean.contiguous(), c, scene_ids=names, seed=0) for c in CONDITIONS]
    assert len(degraded) == 10
    return torch.cat(degraded)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def packed(
    vlm: Generative, images: torch.Tensor, rules: Rules, prompts: Sequence[Prompt] = PROMPTS
) -> list[list[list[int]]]:
    chats = [vlm._chat(prompt.text) for prompt in prompts]
    layout = vlm._layouts.find(images, chats)
    seen = read(vlm._model, vlm._inputs(chats[:1], images), layout)
    return decode(vlm._model, seen, layout, rules).tokens


def rules_of(vlm: Generative, describe: int, short: int, count: int = len(PROMPTS)) -> Rules:
    return Rules(vlm._ends, [describe, *[short] * (count - 1)], [()] * count)


def by_library(
    vlm: Generative, images: torch.Tensor, text: str, limit: int
) -> tuple[Any, list[list[int]]]:
    """One prompt about each image by the library; an answer ends with the end of turn."""
    pictures = [[Image.fromarray(image.permute(1, 2, 0).numpy())] for image in images]
    chats = [vlm._chat(text)] * len(images)
    inputs = vlm._processor(text=chats, images=pictures, return_tensors="pt")
    out = vlm._model.generate(**inputs, max_new_tokens=limit, do_sample=False)
    rows = out[:, inputs["input_ids"].shape[1] :].tolist()
    ends = [next((i for i, t in enumerate(row) if t in vlm._ends), limit) for row in rows]
    return inputs, [row[: end + 1] for row, end in zip(rows, ends, strict=True)]


def tied(vlm: Generative, inputs: Any, ours: list[int], theirs: list[int]) -> bool:
    """Whether the two answers part where their tokens are equally likely."""
    at = next(i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b)
    more = inputs | {"max_new_tokens": at + 1, "do_sample": False}
    out = vlm._model.generate(**more, output_logits=True, return_dict_in_generate=True)
    scores = out.logits[at][0]
    return abs(float(scores[ours[at]] - scores[theirs[at]])) < TIE


def check(
    vlm: Generative, images: torch.Tensor, rules: Rules, prompts: Sequence[Prompt] = PROMPTS
) -> None:
    differing, got = 0, []
    with torch.inference_mode():
        for some in images.split(8):
            rows = packed(vlm, some, rules, prompts)
            got += rows
            for at, (prompt, limit) in enumerate(zip(prompts, rules.limits, strict=True)):
                _, answers = by_library(vlm, some, prompt.text, limit)
                for image, row, theirs in zip(some, rows, answers, strict=True):
                    if row[at] != theirs:  # then what the image gives by itself decides
                        inputs, (theirs,) = by_library(vlm, image[None], prompt.text, limit)
                    if row[at] != theirs:
                        differing += 1
                        assert tied(vlm, inputs, row[at], theirs), prompt.name
    assert differing <= 1
    assert len({tuple(tokens) for row in got for tokens in row}) > 8  # images and prompts matter


def test_the_embedded_model_says_the_same_on_thirty_images(pictures: torch.Tensor) -> None:
    vlm = load_vlm(find_model(load_catalogue(), "qwen2-vl"))
    assert isinstance(vlm, Generative) and vlm.share_images
    check(vlm, pictures, rules_of(vlm, 24, 16))


@pytest.mark.parametrize("family", ["qwen2_5_vl", "llava", "smolvlm"])
def test_other_families_say_the_same_on_thirty_images(
    family: str, pictures: torch.Tensor, tmp_path: Path
) -> None:
    vlm = load_vlm(tiny(GENERATIVE[family](tmp_path / family)))
    assert isinstance(vlm, Generative) and vlm.share_images
    prompts = [PROMPTS[0], *PROMPTS[-3:]]
    check(vlm, pictures[..., ::4, ::4].contiguous(), rules_of(vlm, 5, 3, len(prompts)), prompts)


def tiny(folder: Path, **options: object) -> ModelEntry:
    return ModelEntry(
        "tiny", "vlm", "transformers-vlm", str(folder), options=tuple(options.items())
    )


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return GENERATIVE["qwen2_vl"](tmp_path_factory.mktemp("qwen") / "model")


def test_answers_end_at_their_limit_or_at_a_decisive_first_token(
    qwen: Path, pictures: torch.Tensor
) -> None:
    vlm = load_vlm(tiny(qwen))
    image = pictures[:1, :, ::4, ::4].contiguous()
    with torch.inference_mode():
        whole = packed(vlm, image, rules_of(vlm, 7, 4))[0]
        assert [len(tokens) for tokens in whole] == [7, *[4] * (len(PROMPTS) - 1)]
        begins = [{tokens[0]} if i % 2 else () for i, tokens in enumerate(whole)]
        later = [{tokens[1]} - {tokens[0]} for tokens in whole]
        limits = rules_of(vlm, 7, 4).limits
        cut = packed(vlm, image, Rules(vlm._ends, limits, begins))[0]
        assert cut == [t[:1] if i % 2 else t for i, t in enumerate(whole)]
        assert packed(vlm, image, Rules(vlm._ends, limits, later))[0] == whole
        ended = packed(vlm, image, Rules({whole[0][2]}, limits, [()] * len(PROMPTS)))[0]
        stop = whole[0].index(whole[0][2]) + 1
        assert ended[0] == whole[0][:stop]


def test_what_is_computed_together_does_not_depend_on_the_answers(
    qwen: Path, pictures: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vlm = load_vlm(tiny(qwen))
    some = pictures[:4, :, ::4, ::4].contiguous()
    forward, widths = vlm._model.forward, []

    def watched(**inputs: Any) -> Any:
        widths.append(tuple(inputs["input_ids"].shape))
        return forward(**inputs)

    with torch.inference_mode():
        ends = {tokens[1] for row in packed(vlm, some, rules_of(vlm, 6, 3)) for tokens in row[1:6]}
        monkeypatch.setattr(vlm._model, "forward", watched)
        for steady in (True, False):
            widths.clear()
            packed(vlm, some, Rules(ends, rules_of(vlm, 6, 3).limits, [()] * 11, steady))
            steps = [width for _, width in widths[2:]]
            if steady:
                assert steps == [11, 11, 1, 1, 1][: len(steps)]
            else:
                assert steps[0] <= 11 and sum(steps) < 25


def test_half_precision_answers_do_not_depend_on_the_batch(
    qwen: Path, pictures: torch.Tensor
) -> None:
    options = {"dtype": "bfloat16", "describe_tokens": 6, "short_tokens": 3}
    vlm = load_vlm(tiny(qwen, images_together=2, **options))
    some = pictures[:5, :, ::4, ::4].contiguous()
    together = vlm.answer(some, PROMPTS)
    assert [vlm.answer(some[i : i + 1], PROMPTS)[0] for i in range(5)] == together
    digests = {load_vlm(tiny(qwen, images_together=n, **options)).digest for n in (2, 3)}
    assert len(digests) == 2
