from __future__ import annotations

from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from tests.helpers.vlm_checkpoints import make_contrastive
from vlmis_utils.core.errors import UserError
from vlmis_utils.models.vlm.loading import Vlm, load_vlm
from vlmis_utils.protocol.classes import OBJECT_CLASSES
from vlmis_utils.protocol.models import ModelEntry
from vlmis_utils.protocol.prompts import PROMPTS, contrastive_pairs, prompt


def entry(checkpoint: str, **options: object) -> ModelEntry:
    return ModelEntry("tiny", "vlm", "open_clip", checkpoint, options=tuple(options.items()))


def make(folder: Path, sigmoid: bool) -> Path:
    return make_contrastive(folder, "siglip" if sigmoid else "clip")


@pytest.fixture(scope="module", params=[False, True], ids=["softmax", "sigmoid"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("clip") / "model", request.param)


def images(count: int = 3, height: int = 40, width: int = 72) -> torch.Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.integers(0, 256, (count, 3, height, width), dtype=np.uint8))


def test_answers_all_prompts(folder: Path) -> None:
    vlm = load_vlm(entry(str(folder)))
    assert isinstance(vlm, Vlm)
    answers = vlm.answer(images(), PROMPTS)
    assert len(answers) == 3 and all(len(row) == len(PROMPTS) for row in answers)
    for row in answers:
        for asked, answer in zip(PROMPTS, row, strict=True):
            assert answer.text is None
            assert answer.labels == tuple(contrastive_pairs(asked.name))
            assert len(answer.scores) == len(answer.labels)
        assert row[0].labels == OBJECT_CLASSES


def test_scores_are_the_library_s_own_logits(folder: Path) -> None:
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    pixels = images(2)
    batch = torch.stack([preprocess(Image.fromarray(p.permute(1, 2, 0).numpy())) for p in pixels])
    texts = tokenizer(list(contrastive_pairs("safety").values()))
    with torch.inference_mode():
        wanted, _ = model.eval().get_logits(batch, texts)
    got = load_vlm(entry(str(folder))).answer(pixels, [prompt("safety")])
    torch.testing.assert_close(torch.tensor([row[0].scores for row in got]), wanted)


def test_the_description_holds_the_image_s_own_vector(folder: Path) -> None:
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    pixels = images(2)
    batch = torch.stack([preprocess(Image.fromarray(p.permute(1, 2, 0).numpy())) for p in pixels])
    with torch.inference_mode():
        wanted = model.eval().encode_image(batch, normalize=True)
    got = load_vlm(entry(str(folder))).answer(pixels, PROMPTS)
    found = torch.tensor([row[0].embedding for row in got])
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    assert all(answer.embedding is None for row in got for answer in row[1:])


@pytest.mark.parametrize("mode", [None, "squash", "longest", "shortest"])
def test_an_image_of_the_tower_s_size_is_not_resized_and_the_same_to_the_last_bit(
    folder: Path, mode: str | None
) -> None:
    settings = {} if mode is None else {"image_resize_mode": mode}
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}", **settings)
    options = {} if mode is None else {"resize_mode": mode}
    vlm = load_vlm(entry(str(folder), **options))
    size = model.visual.image_size
    height, width = (size, size) if isinstance(size, int) else size
    for shape in ((height, width), (height + 8, 2 * width)):
        pixels = images(2, *shape)
        arrays = [p.permute(1, 2, 0).numpy() for p in pixels]
        theirs = torch.stack([preprocess(Image.fromarray(array)) for array in arrays])
        assert torch.equal(vlm.preprocessed(pixels), theirs)


def test_batches_and_order_do_not_matter(folder: Path) -> None:
    vlm = load_vlm(entry(str(folder)))
    together = vlm.answer(images(), PROMPTS)
    for index in range(3):
        alone = vlm.answer(images()[index : index + 1], PROMPTS[::-1])[0][::-1]
        for one, other in zip(alone, together[index], strict=True):
            np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)


def test_no_images_no_answers(folder: Path) -> None:
    assert load_vlm(entry(str(folder))).answer(images(0), PROMPTS) == []


def test_a_prefix_names_the_same_model(folder: Path) -> None:
    plain, prefixed = load_vlm(entry(str(folder))), load_vlm(entry(f"local-dir:{folder}"))
    assert plain.digest == prefixed.digest and len(plain.digest) == 16
    assert plain.answer(images(1), PROMPTS) == prefixed.answer(images(1), PROMPTS)


def test_the_digest_follows_weights_and_options(tmp_path: Path) -> None:
    first, second = make(tmp_path / "a", False), make(tmp_path / "b", False)
    assert load_vlm(entry(str(first))).digest == load_vlm(entry(str(second))).digest
    path = second / "open_clip_model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert load_vlm(entry(str(first))).digest != load_vlm(entry(str(second))).digest
    cropped = load_vlm(entry(str(first), resize_mode="shortest"))
    assert cropped.digest != load_vlm(entry(str(first))).digest


def test_resize_mode_replaces_the_checkpoint_s_own(tmp_path: Path) -> None:
    folder = make(tmp_path / "a", False)
    wide = images(1, 32, 128)
    squashed = load_vlm(entry(str(folder))).answer(wide, [prompt("safety")])
    cropped = load_vlm(entry(str(folder), resize_mode="shortest")).answer(wide, [prompt("safety")])
    assert squashed != cropped


@pytest.mark.parametrize("name", ["nowhere/at/all", "local-dir:nowhere", "./nowhere"])
def test_a_missing_folder_is_named_with_its_remedy(name: str) -> None:
    with pytest.raises(UserError, match="nowhere") as error:
        load_vlm(entry(name))
    assert "\n" not in str(error.value)


def test_the_embedded_checkpoints_point_to_make_weights() -> None:
    with pytest.raises(UserError, match="make weights"):
        load_vlm(entry("vlmis_utils/training/checkpoints/no-such-model"))


def test_an_unknown_tag_is_named() -> None:
    with pytest.raises(UserError, match="ViT-B-32/nonsense"):
        load_vlm(entry("ViT-B-32/nonsense"))


def test_truncated_weights_are_named(tmp_path: Path) -> None:
    path = make(tmp_path / "a", False) / "open_clip_model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UserError, match="open_clip_model.safetensors.*make weights") as error:
        load_vlm(entry(str(path.parent)))
    assert "\n" not in str(error.value)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "a", False) / "open_clip_model.safetensors"
    path.unlink()
    with pytest.raises(UserError, match="safetensors"):
        load_vlm(entry(str(path.parent)))


def test_images_of_another_type_are_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="uint8"):
        load_vlm(entry(str(folder))).answer(images().float(), PROMPTS)
