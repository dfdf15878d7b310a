"""Scores of each library's models against the library's own steps, or against a plain oracle."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from tests.helpers.segmenter_checkpoints import (
    labels,
    lively,
    sides,
    write_eomt,
    write_mask2former,
    write_segformer,
)
from vlmis_utils.core.errors import UserError
from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.protocol.classes import TRAIN_CLASSES
from vlmis_utils.protocol.models import ModelEntry

SIZE = (50, 90)
SEMANTIC, UNIVERSAL = "transformers-semantic", "transformers-universal"


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    coarse = torch.randint(0, 256, (2, 3, 6, 9), generator=generator).float()
    return functional.interpolate(coarse, SIZE, mode="bilinear").to(torch.uint8)


@pytest.fixture(scope="module")
def mask2former(tmp_path_factory) -> Path:
    return write_mask2former(tmp_path_factory.mktemp("mask2former"))


@pytest.fixture(scope="module")
def segformer(tmp_path_factory) -> Path:
    return write_segformer(tmp_path_factory.mktemp("segformer"))


def predicted(folder: Path, library: str, images: torch.Tensor, **options: object) -> torch.Tensor:
    entry = ModelEntry("m", "segmenter", library, str(folder), options=tuple(options.items()))
    return load_segmenter(entry).predict(images)


def of_library(folder: Path, auto: type, images: torch.Tensor, **more: object) -> torch.Tensor:
    """Run the processor, the model and the processor's own post-processing."""
    from transformers import AutoImageProcessor

    processor = AutoImageProcessor.from_pretrained(folder)
    model = auto.from_pretrained(folder, dtype=torch.float32).eval()
    inputs = processor(images=list(images), return_tensors="pt")
    with torch.inference_mode():
        outputs = model(**{k: v for k, v in inputs.items() if k in ("pixel_values", "pixel_mask")})
    outputs.patch_offsets = inputs.get("patch_offsets")
    sizes = [tuple(images.shape[2:])] * len(images)
    return torch.stack(processor.post_process_semantic_segmentation(outputs, sizes))


def agree(first: torch.Tensor, second: torch.Tensor) -> None:
    assert len(first.unique()) > 2
    assert (first == second).float().mean() > 0.999


def test_mask2former_follows_the_library(mask2former: Path, images: torch.Tensor) -> None:
    from transformers import AutoModelForUniversalSegmentation

    expected = of_library(mask2former, AutoModelForUniversalSegmentation, images)
    agree(predicted(mask2former, UNIVERSAL, images), expected)


def test_full_masks_are_upsampled_straight_and_without_padding(
    mask2former: Path, images: torch.Tensor
) -> None:
    from transformers import AutoImageProcessor, Mask2FormerForUniversalSegmentation
    from transformers.image_utils import SizeDict

    processor = AutoImageProcessor.from_pretrained(mask2former)
    model = Mask2FormerForUniversalSegmentation.from_pretrained(mask2former).eval()
    inputs = processor(
        images=list(images), return_tensors="pt", do_resize=False,
        pad_size=SizeDict(**sides((64, 96))),
    )  # fmt: skip
    with torch.inference_mode():
        outputs = model(**inputs)
    maps = []
    for classes, masks in zip(
        outputs.class_queries_logits, outputs.masks_queries_logits, strict=True
    ):
        masks = functional.interpolate(masks[None], (64, 96), mode="bilinear")[0, :, :50, :90]
        of_query = classes.softmax(-1)[:, :-1]
        scores = (of_query[:, :, None, None] * masks.sigmoid()[:, None]).sum(0)
        maps.append(scores.argmax(0))
    found = predicted(mask2former, UNIVERSAL, images, size="native", masks="full")
    agree(found, torch.stack(maps))
    through_384 = predicted(mask2former, UNIVERSAL, images, size="native")
    assert (found != through_384).float().mean() > 0.01


def test_size_replaces_what_the_processor_does(segformer: Path, images: torch.Tensor) -> None:
    from transformers import AutoImageProcessor, AutoModelForSemanticSegmentation

    model = AutoModelForSemanticSegmentation.from_pretrained(segformer).eval()
    processor = AutoImageProcessor.from_pretrained(segformer)
    for size, how in (
        ("native", {"do_resize": False}),
        ((40, 80), {"size": sides((40, 80))}),
        (None, {}),
    ):
        inputs = processor(images=list(images), return_tensors="pt", **how)
        with torch.inference_mode():
            logits = model(**inputs).logits
        expected = functional.interpolate(logits, SIZE, mode="bilinear").argmax(1)
        agree(predicted(segformer, SEMANTIC, images, size=size), expected)


def test_an_image_is_the_mean_of_its_windows(segformer: Path, images: torch.Tensor) -> None:
    from transformers import AutoModelForSemanticSegmentation

    model = AutoModelForSemanticSegmentation.from_pretrained(segformer).eval()
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    total, count = torch.zeros(2, 19, *SIZE), torch.zeros(*SIZE)
    for top in (0, 18):
        for left in (0, 24, 48, 58):
            part = images[:, :, top : top + 32, left : left + 32]
            with torch.inference_mode():
                logits = model((part.float() / 255 - mean) / std).logits
            logits = functional.interpolate(logits, (32, 32), mode="bilinear")
            total[:, :, top : top + 32, left : left + 32] += logits
            count[top : top + 32, left : left + 32] += 1
    found = predicted(segformer, SEMANTIC, images, window=(32, 32), stride=(24, 24), size="native")
    agree(found, (total / count).argmax(1))
    bigger = predicted(segformer, SEMANTIC, images, window=(64, 128), size="native")
    assert torch.equal(bigger, predicted(segformer, SEMANTIC, images, size="native"))


@pytest.mark.parametrize("library", [SEMANTIC, UNIVERSAL])
def test_ignored_labels_are_never_predicted(library, tmp_path: Path, images, capsys) -> None:
    write = write_segformer if library == SEMANTIC else write_mask2former
    names = [*TRAIN_CLASSES[:17], "ceiling", "minibike"]
    folder = write(tmp_path / "other", names)
    same = predicted(write(tmp_path / "same"), library, images)  # same weights, by position
    given = {"ceiling": "ignore", "minibike": "motorcycle"}
    assert (same == 17).any() or library == UNIVERSAL
    entry = ModelEntry("m", "segmenter", library, str(folder),
                       options=(("label_map", tuple(given.items())),))  # fmt: skip
    segmenter = load_segmenter(entry)
    assert segmenter.missing == ("bicycle",)
    assert "'m' cannot predict bicycle: their IoU is 0" in capsys.readouterr().err
    found = segmenter.predict(images)
    untouched = (same != 17) & (same != 18)
    assert torch.equal(found[untouched], same[untouched])
    assert (found[same == 18] == TRAIN_CLASSES.index("motorcycle")).all()
    assert not (found == TRAIN_CLASSES.index("bicycle")).any() and int(found.max()) < 19


def write_other(kind: str, folder: Path) -> Path:
    import transformers as t

    torch.manual_seed(0)
    names = labels(TRAIN_CLASSES)
    small = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2,
             "intermediate_size": 32, "image_size": 32, "patch_size": 8}  # fmt: skip
    if kind == "beit":
        config = t.BeitConfig(**names, **small, out_indices=[1, 2, 3, 4], pool_scales=[1, 2],
                              use_relative_position_bias=True)  # fmt: skip
        model, processor = (
            t.BeitForSemanticSegmentation(config),
            t.BeitImageProcessor(size=sides((32, 32)), do_center_crop=False),
        )
    elif kind == "dpt":
        config = t.DPTConfig(**names, **small, backbone_out_indices=[0, 1, 2, 3],
                             neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=16,
                             semantic_loss_ignore_index=255)  # fmt: skip
        model, processor = (
            t.DPTForSemanticSegmentation(config),
            t.DPTImageProcessor(size=sides((32, 32))),
        )
    else:
        backbone = t.SwinConfig(embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2],
                                window_size=4,
                                out_features=["stage1", "stage2", "stage3", "stage4"])  # fmt: skip
        config = t.UperNetConfig(**names, backbone_config=backbone, hidden_size=16,
                                 pool_scales=[1, 2], auxiliary_in_channels=32,
                                 auxiliary_channels=8)  # fmt: skip
        model, processor = (
            t.UperNetForSemanticSegmentation(config),
            t.SegformerImageProcessor(size=sides((64, 64))),
        )
    lively(model.eval()).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["beit", "dpt", "upernet"])
def test_any_semantic_segmenter_of_the_library(kind: str, tmp_path: Path, images) -> None:
    from transformers import AutoModelForSemanticSegmentation

    folder = write_other(kind, tmp_path)
    expected = of_library(folder, AutoModelForSemanticSegmentation, images)
    agree(predicted(folder, SEMANTIC, images), expected)


def test_a_universal_segmenter_that_cuts_images_itself(tmp_path: Path, images) -> None:
    from transformers import AutoModelForUniversalSegmentation

    folder = write_eomt(tmp_path)
    expected = of_library(folder, AutoModelForUniversalSegmentation, images)
    agree(predicted(folder, UNIVERSAL, images), expected)
    with pytest.raises(UserError, match="eomt sees images as its own processor cuts them"):
        predicted(folder, UNIVERSAL, images, size="native")
    with pytest.raises(UserError, match="masks is an option of Mask2Former, not of eomt"):
        predicted(folder, UNIVERSAL, images, masks="full")


def test_a_model_that_wants_its_task_in_words_is_refused(
    mask2former: Path, images, monkeypatch
) -> None:
    from transformers import AutoModelForUniversalSegmentation, OneFormerForUniversalSegmentation

    assert "task_inputs" in inspect.signature(OneFormerForUniversalSegmentation.forward).parameters
    model = AutoModelForUniversalSegmentation.from_pretrained(mask2former)
    model.forward = lambda pixel_values, task_inputs: None
    monkeypatch.setattr(
        AutoModelForUniversalSegmentation, "from_pretrained", lambda *_, **__: model
    )
    with pytest.raises(UserError, match="wants to be told its task"):
        predicted(mask2former, UNIVERSAL, images)


def test_options_and_precision_are_part_of_the_digest(segformer: Path, monkeypatch) -> None:
    from vlmis_utils.models.checkpoints import folder_digest
    from vlmis_utils.models.segmentation.loading import _digest

    def entry(**options: object) -> ModelEntry:
        return ModelEntry(
            "m", "segmenter", SEMANTIC, str(segformer), options=tuple(options.items())
        )

    plain = load_segmenter(entry()).digest
    assert plain == folder_digest(segformer)
    found = {
        plain,
        _digest(segformer, entry(), torch.bfloat16),
        _digest(segformer, entry(), torch.float16),
    }
    for options in (
        {"size": "native"},
        {"window": (32, 32)},
        {"window": (32, 32), "stride": (8, 8)},
    ):
        found.add(load_segmenter(entry(**options)).digest)
    assert len(found) == 6 and all(len(digest) == 16 for digest in found)
