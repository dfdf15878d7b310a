from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from vlmis_utils.core.errors import UserError
from vlmis_utils.models.segmentation.deeplab import DeepLabConfig, DeepLabV3Plus
from vlmis_utils.models.vlm.loading import load_vlm
from vlmis_utils.protocol.classes import (
    LANGUAGE_CLASSES,
    MIN_SHARE,
    OBJECT_CLASSES,
    pixel_counts,
)
from vlmis_utils.protocol.models import ModelEntry
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.training.data import TrainingData
from vlmis_utils.training.nets.contrastive_model import ContrastiveTraining, save_open_clip
from vlmis_utils.training.nets.dense import class_weights, dense_loss, loudest, scene_loss
from vlmis_utils.training.nets.pixels import normalise, principal_patches
from vlmis_utils.training.nets.qwen_model import (
    QwenTraining,
    name_what_is_seen,
    patchify,
)
from vlmis_utils.training.nets.qwen_turns import pack, prefix_of
from vlmis_utils.training.nets.scenes import (
    SCENE_TARGETS,
    Scenes,
    load_scenes,
    take,
    token_shares,
    windows,
)
from vlmis_utils.training.recipes.captions import turns
from vlmis_utils.training.recipes.train_trunk import (
    SeeingTrunk,
    load_backbone,
    trunk_loss,
)
from vlmis_utils.training.recipes.train_vlms import RECIPES, train_vlm

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")
LIBRARIES = {"clip": "open_clip", "siglip": "open_clip", "qwen2-vl": "transformers-vlm"}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def frames(count: int, seed: int) -> TrainingData:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 19, (count, 8, 16), dtype=np.uint8).repeat(32, 1).repeat(32, 2)
    safe = rng.random(count) < 0.5
    return TrainingData(
        images=(labels[..., None] * np.array([13, 7, 5])).astype(np.uint8),
        labels=labels,
        counts=np.stack([pixel_counts(each) for each in labels]),
        safe=safe,
        reasons=["clear" if s else "car in corridor at 6.0 m; red light" for s in safe],
        scene_ids=[f"{seed}-{i}" for i in range(count)],
    )


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return load_scenes(frames(6, 0))


@pytest.fixture(scope="module")
def qwen() -> QwenTraining:
    torch.manual_seed(0)
    return QwenTraining(widths=(32, 64), layers=(1, 2)).eval()


def test_shares_count_pixels() -> None:
    labels = np.random.default_rng(0).integers(0, 19, (2, 32, 64), dtype=np.uint8)
    labels[0, :3] = 255
    shares = token_shares(labels, 16).numpy()
    for n, row, column, c in [(0, 0, 0, 3), (0, 1, 3, 18), (1, 0, 2, 0)]:
        tile = labels[n, row * 16 : row * 16 + 16, column * 16 : column * 16 + 16]
        assert shares[n, c, row, column] == pytest.approx((tile == c).mean())
    assert shares[0, :, 0].sum(0) == pytest.approx(np.full(4, 13 / 16))


def test_targets_follow_the_reason(scenes: Scenes) -> None:
    for fact, row in zip(scenes.facts, scenes.targets, strict=True):
        unsafe, hazard, light = row[
            [SCENE_TARGETS.index(n) for n in ("unsafe", "hazard", "stop light")]
        ]
        assert unsafe == hazard == light == (not fact.safe)


def test_mirrored_batches_mirror_both_image_and_truth(scenes: Scenes) -> None:
    index = np.array([1, 4])
    straight = take(scenes, index, np.array([False, False]), 16)
    mirrored = take(scenes, index, np.array([True, False]), 16)
    torch.testing.assert_close(mirrored.images[0], straight.images[0].flip(-1))
    torch.testing.assert_close(mirrored.shares[0], straight.shares[0].flip(-1))
    torch.testing.assert_close(mirrored.images[1], straight.images[1])


def test_windows_are_aimed_at_objects_and_tell_what_they_show(scenes: Scenes) -> None:
    batch = windows(scenes, 16, 12, 64, 96)(np.random.default_rng(0), 0.0)
    assert batch.images.shape == (12, 3, 64, 96) and batch.shares.shape == (12, 19, 4, 6)
    objects = [LANGUAGE_CLASSES.index(c) for c in OBJECT_CLASSES]
    pixels = 16**2 * batch.shares.sum((2, 3))[:, objects]
    shown = pixels >= MIN_SHARE * 256 * 512
    assert torch.equal(batch.targets[:, : len(OBJECT_CLASSES)] > 0, shown)
    assert shown.any(1).float().mean() > 0.8
    assert not batch.known[:, len(OBJECT_CLASSES) :].any()
    again = windows(scenes, 16, 12, 64, 96)(np.random.default_rng(0), 0.9)
    assert torch.equal(batch.images, again.images)


def test_the_loss_wants_each_token_to_tell_what_it_shows(scenes: Scenes) -> None:
    batch = take(scenes, np.arange(2), np.zeros(2, bool), 16)
    patches = (batch.shares + 1e-6).log()
    objects = [LANGUAGE_CLASSES.index(name) for name in OBJECT_CLASSES]
    truth = torch.zeros(2, len(SCENE_TARGETS), 8, 16)
    truth[:, : len(objects)] = batch.shares[:, objects, ::2, ::2] > 0.5  # one class a token here
    weights = class_weights(scenes.data)
    right = dense_loss(patches, 8 * truth - 4, batch, weights)
    for wrong in ((0, 0), (1, 3)):
        votes = truth.clone()
        votes[wrong[0], wrong[1], 2:4] = 1 - votes[wrong[0], wrong[1], 2:4]
        assert dense_loss(patches, 8 * votes - 4, batch, weights) > right


def test_the_loudest_token_speaks_for_the_image() -> None:
    votes = torch.full((1, 3, 4, 4), -9.0)
    votes[0, 1, 2, 3] = 5.0
    image = loudest(votes)[0]
    assert image[1] == pytest.approx(5.0, abs=1e-3) and image[0] < -5


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_the_trunk_of_a_tower_that_is_trained_on_is_its_own(name: str, tmp_path: Path) -> None:
    earlier = ContrastiveTraining(name)
    save_open_clip(earlier.model, earlier.config, tmp_path)
    trunk = SeeingTrunk().trunk
    load_backbone(trunk, tmp_path)
    own = earlier.model.visual.trunk.state_dict()
    for key, value in trunk.state_dict().items():
        assert torch.allclose(value.float(), own[key].float(), rtol=1e-3, atol=1e-3), key


def test_the_trunk_starts_as_the_backbone(tmp_path: Path) -> None:
    config = DeepLabConfig(backbone="mobilenet_v2", width_mult=0.5, decoder_channels=16)
    DeepLabV3Plus(config).save_pretrained(tmp_path)
    trunk = SeeingTrunk().eval().trunk
    load_backbone(trunk, tmp_path)
    backbone = DeepLabV3Plus.from_pretrained(tmp_path).eval().backbone
    theirs = [p for p in backbone.parameters() if p.ndim == 4]
    mine = [p for name, p in trunk.named_parameters() if p.ndim == 4 and "conv_head" not in name]
    assert len(mine) == len(theirs)
    assert all(torch.equal(one, other) for one, other in zip(mine, theirs, strict=True))


def test_towers_learn_behind_the_frozen_layers() -> None:
    model = ContrastiveTraining("siglip").train()
    trunk = model.model.visual.trunk
    learned = {name for name, p in trunk.named_parameters() if p.requires_grad}
    assert {name.partition(".")[0] for name in learned} >= {"blocks", "conv_head", "bn2"}
    assert not {name for name in learned if name.startswith(("conv_stem", "bn1"))}
    last = f"blocks.{len(trunk.blocks) - 1}."
    assert all(name.startswith(last) for name in learned if name.startswith("blocks"))
    assert not any(m.training for m in trunk.modules())
    images = torch.randn(2, 3, 64, 96)
    cells = model.cells(images)
    assert not cells.requires_grad
    with torch.no_grad():
        whole = model.eval().model.encode_image(images, normalize=True)
        torch.testing.assert_close(model.see(cells), whole)


def test_the_trunk_is_asked_through_its_maxima(scenes: Scenes) -> None:
    torch.manual_seed(0)
    trunk, batch = SeeingTrunk(), take(scenes, np.arange(2), np.zeros(2, bool), 8)
    patches, votes, pooled = trunk(batch.images)
    assert patches.shape == (2, 19, 32, 64) and votes.shape == (2, 13, 8, 16)
    weights = class_weights(scenes.data)
    both = trunk_loss(trunk, batch, weights=weights, device="cpu")
    unknown = dataclasses.replace(batch, known=torch.zeros_like(batch.known))
    assert scene_loss(pooled, unknown) == 0
    shown = torch.where(batch.targets > 0, 9.0, -9.0)
    assert scene_loss(shown, batch) < 1e-3 < scene_loss(-shown, batch)
    assert both > 0 and torch.autograd.grad(both, trunk.pooled.weight)[0].abs().sum() > 0


def test_words_point_where_their_classes_were_found() -> None:
    torch.manual_seed(0)
    model = QwenTraining(widths=(32, 64), layers=(1, 2))
    language = model.model.model.language_model
    before = language.embed_tokens.weight.detach().clone()
    name_what_is_seen(model)
    after = language.embed_tokens.weight.detach()
    word = model.tokenizer(" bus").input_ids[-1]
    seen = (model.head.scene.weight[OBJECT_CLASSES.index("bus")] * model.head.norm.weight).detach()
    assert torch.cosine_similarity(after[word], seen, dim=0) == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(after.norm(dim=1), before.norm(dim=1))
    assert (after != before).any(1).sum() == len(OBJECT_CLASSES)
    for layer in language.layers:
        assert torch.equal(layer.self_attn.k_proj.weight, layer.self_attn.q_proj.weight)


def test_principal_patches_whiten() -> None:
    rng = np.random.default_rng(0)
    data = frames(4, 0)
    noisy = rng.integers(0, 256, data.images.shape, dtype=np.uint8)
    noisy = TrainingData(noisy, data.labels, data.counts, data.safe, data.reasons, data.scene_ids)
    kernels = principal_patches(noisy.images, 16, 10)
    images = normalise(torch.from_numpy(noisy.images).permute(0, 3, 1, 2))
    out = torch.nn.functional.conv2d(images, kernels, stride=16).permute(1, 0, 2, 3).flatten(1)
    torch.testing.assert_close(torch.cov(out), torch.eye(10), atol=0.05, rtol=0)


def test_patches_are_those_of_the_processor(qwen: QwenTraining, scenes: Scenes) -> None:
    images = torch.from_numpy(scenes.data.images[:2]).permute(0, 3, 1, 2)
    wanted = qwen.processor.image_processor(images=list(images), return_tensors="pt")[
        "pixel_values"
    ]
    torch.testing.assert_close(patchify(normalise(images)), wanted, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_a_packed_turn_is_computed_as_if_alone(qwen: QwenTraining, scenes: Scenes) -> None:
    images = torch.from_numpy(scenes.data.images[:2]).permute(0, 3, 1, 2)
    prefix = prefix_of(qwen.tokenizer, 8, 16)
    packed = pack(qwen.tokenizer, prefix, scenes.facts[:2], np.random.default_rng(0))
    hidden = qwen.speak(qwen.see(normalise(images)), packed, prefix.image)
    for row in range(2):
        for name, question, _ in turns(scenes.facts[row], np.random.default_rng(0))[::4]:
            content = [{"type": "image"}, {"type": "text", "text": question}]
            chat = qwen.processor.apply_chat_template(
                [{"role": "user", "content": content}], add_generation_prompt=True
            )
            inputs = qwen.processor(text=[chat], images=[images[row]], return_tensors="pt")
            alone = qwen.model(**inputs).logits[0, -1]
            here = qwen.model.lm_head(hidden[row, packed.starts[row][name]])
            torch.testing.assert_close(here, alone, atol=1e-4, rtol=1e-4)


def test_packed_positions_are_the_library_s(qwen: QwenTraining) -> None:
    prefix = prefix_of(qwen.tokenizer, 8, 16)
    ids = torch.tensor([[*prefix.ids, *qwen.tokenizer("Is it safe?").input_ids]])
    kinds = (ids == qwen.model.config.image_token_id).int()
    wanted, _ = qwen.model.model.get_rope_index(
        ids, mm_token_type_ids=kinds, image_grid_thw=torch.tensor([[1, 16, 32]])
    )
    size = len(prefix.ids)
    assert torch.equal(wanted[:, 0, :size], prefix.positions)
    assert int(wanted[0, 0, size]) == prefix.following


def test_answers_are_learned_and_questions_are_not(qwen: QwenTraining, scenes: Scenes) -> None:
    prefix = prefix_of(qwen.tokenizer, 8, 16)
    packed = pack(qwen.tokenizer, prefix, scenes.facts[:3], np.random.default_rng(1))
    for row, fact in enumerate(scenes.facts[:3]):
        said = qwen.tokenizer.decode(packed.labels[row][packed.labels[row] >= 0])
        wanted = [answer for _, _, answer in turns(fact, np.random.default_rng(1))]
        if row == 0:
            assert said == "".join(f"{answer}<|im_end|>" for answer in wanted)
        assert said.count("<|im_end|>") == len(wanted)


@pytest.mark.parametrize("name", list(RECIPES))
def test_recipes_leave_checkpoints_that_load(name: str, tmp_path: Path) -> None:
    data = (frames(4, 0), frames(3, 1))
    settings = {"out": tmp_path / "out", "work": tmp_path / "work", "device": "cpu", "data": data}
    backbone = DeepLabConfig(backbone="mobilenet_v2", width_mult=0.5, decoder_channels=16)
    DeepLabV3Plus(backbone).save_pretrained(tmp_path / "out" / "deeplabv3plus")
    run = train_vlm(name, steps=3, eval_every=2, **settings)
    vlm = load_vlm(ModelEntry(name, "vlm", LIBRARIES[name], str(tmp_path / "out" / name)))
    images = torch.from_numpy(data[1].images[:1]).permute(0, 3, 1, 2)
    assert len(vlm.answer(images, PROMPTS[-2:])[0]) == 2
    assert list((tmp_path / "logs").glob(f"{name}*.csv"))
    again = train_vlm(name, steps=3, eval_every=2, **settings)
    assert again.step == run.step
    for one, other in zip(run.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_unknown_recipes_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'clip'"):
        train_vlm("clipp", out=tmp_path)
