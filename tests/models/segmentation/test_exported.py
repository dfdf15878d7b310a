"""Exported files, TFLite and ONNX, against numpy's own arithmetic; and what is refused, and how."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from tests.helpers.exported_files import write_onnx, write_tflite_labels, write_tflite_scores
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.models.segmentation.segmenter import Segmenter
from vlmis_utils.protocol.classes import TRAIN_CLASSES
from vlmis_utils.protocol.models import ModelEntry

SIZE = (12, 20)
PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
THREE = {"labels": ("car", "sky", "road"), "label_map": (("car", "car"),)}
WEIGHTS = np.random.default_rng(0).normal(size=(19, 3))
WEIGHTS -= WEIGHTS.mean(1, keepdims=True)  # colour decides, not brightness: many labels are found


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (2, 3, *SIZE), dtype=torch.uint8, generator=generator)


def segmenter(path: Path, library: str = "", **options: object) -> Segmenter:
    library = library or {".onnx": "onnx"}.get(path.suffix, "litert")
    given = ModelEntry("m", "segmenter", library, str(path), options=tuple(options.items()))
    return load_segmenter(given)


def by_hand(images: torch.Tensor, mean=(0, 0, 0), std=(1, 1, 1)) -> np.ndarray:
    """Return the scores (B, 19, H, W) of the 1x1 convolution, in float64."""
    pixels = images.numpy().transpose(0, 2, 3, 1) / 255
    return np.einsum("ck,bhwk->bchw", WEIGHTS, (pixels - mean) / std)


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("library", ["onnx", "litert"])
def test_the_greatest_score_of_a_convolution(library, normalised, tmp_path, images) -> None:
    how = {"mean": (0.4, 0.5, 0.6), "std": (0.2, 0.3, 0.25)} if normalised else PLAIN
    if library == "onnx":
        path = write_onnx(tmp_path / "m.onnx", WEIGHTS, (1, 3, *SIZE))
    else:
        path = write_tflite_scores(tmp_path / "m.tflite", WEIGHTS, SIZE)
    expected = by_hand(images, **how).argmax(1)
    found = segmenter(path, **how).predict(images)
    assert found.dtype == torch.uint8 and len(np.unique(expected)) > 3
    assert np.array_equal(found.numpy(), expected)


@pytest.mark.parametrize("shape", [(1, 3, "height", "width"), ("batch", 3, "height", "width")])
def test_a_file_of_any_size_sees_images_as_they_are_or_at_the_size_told(
    shape, tmp_path, images
) -> None:
    path = write_onnx(tmp_path / "m.onnx", WEIGHTS, shape)
    assert np.array_equal(segmenter(path, **PLAIN).predict(images), by_hand(images).argmax(1))
    small = functional.interpolate(images, (6, 10), mode="bilinear", antialias=True)
    scores = functional.interpolate(torch.from_numpy(by_hand(small)), SIZE, mode="bilinear")
    found = segmenter(path, size=(6, 10), **PLAIN).predict(images)
    assert np.array_equal(found, scores.argmax(1))


def test_a_map_of_labels_comes_back_by_nearest_neighbour(tmp_path: Path, images) -> None:
    path = write_tflite_labels(tmp_path / "m.tflite", (6, 10))
    found = segmenter(path, output="labels", **THREE).predict(images).numpy()
    ids = np.array([TRAIN_CLASSES.index(name) for name in THREE["labels"]])
    for image, labels in zip(images.numpy(), found, strict=True):
        seen = Image.fromarray(image.transpose(1, 2, 0)).resize((10, 6), Image.Resampling.BILINEAR)
        own = ids[np.asarray(seen).argmax(-1)].astype(np.uint8)
        nearest = Image.fromarray(own).resize(SIZE[::-1], Image.Resampling.NEAREST)
        assert np.array_equal(labels, np.asarray(nearest))


def test_labels_follow_their_map_and_one_ignored_is_never_predicted(tmp_path, images) -> None:
    names = (*TRAIN_CLASSES[:17], "scooter", "ceiling")
    path = write_onnx(tmp_path / "m.onnx", WEIGHTS, (1, 3, *SIZE))
    how = {"labels": names, "label_map": (("scooter", "bicycle"), ("ceiling", "ignore"))}
    found = segmenter(path, **PLAIN, **how)
    assert found.missing == ("motorcycle",)
    kept = by_hand(images)[:, :18].argmax(1)
    assert np.array_equal(found.predict(images), np.where(kept == 17, 18, kept))
    as_map = write_onnx(tmp_path / "labels.onnx", WEIGHTS, (1, 3, *SIZE), labels=True)
    expected = by_hand(images).argmax(1)
    assert np.array_equal(segmenter(as_map, output="labels", **PLAIN).predict(images), expected)
    with pytest.raises(UserError, match="ignores a label, .* take a file whose output is scores"):
        segmenter(as_map, output="labels", **PLAIN, **how)


def test_the_digest_follows_file_and_options(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "m.onnx", WEIGHTS, (1, 3, "h", "w"))
    first = segmenter(path, **PLAIN).digest
    assert first == segmenter(path, **PLAIN).digest and len(first) == 16
    other = segmenter(path, size=(6, 10), **PLAIN).digest
    write_onnx(path, WEIGHTS + 1, (1, 3, "h", "w"))
    assert len({first, other, segmenter(path, **PLAIN).digest}) == 3


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((1, 3, 12, 20), {"layout": "nhwc"}, r"takes 1x3x12x20 values, not one RGB image in nhwc"),
        ((1, 4, 12, 20), {}, "takes 1x4x12x20 values, not one RGB image: correct"),
        ((8, 3, 12, 20), {}, "takes 8x3x12x20 values, .* for a batch of 1"),
        ((1, "c", "h", "w"), {}, "takes 1x.x.x. values, so where the channels are .* nhwc or nchw"),
        ((1, 3, 12, 20), {"size": (12, 21)}, "the width 21 of the option size does not fit"),
        ((1, 3, 12, "w"), {}, "takes 1x3x12x. values: add the option size"),
    ],
)
def test_an_input_of_another_shape(shape, options, words, tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "m.onnx", WEIGHTS, shape)
    with pytest.raises(UserError, match=words):
        segmenter(path, **PLAIN, **options)


def test_numbers_are_given_as_the_file_takes_them_or_not_at_all(tmp_path: Path) -> None:
    floats = write_onnx(tmp_path / "m.onnx", WEIGHTS, (1, 3, *SIZE))
    with pytest.raises(UserError, match=r"takes float32: add the options mean and std"):
        segmenter(floats)
    whole = write_tflite_labels(tmp_path / "m.tflite", SIZE)
    with pytest.raises(UserError, match="takes uint8: leave out the options mean and std"):
        segmenter(whole, output="labels", **PLAIN, **THREE)


def test_an_output_of_another_shape(tmp_path: Path, images) -> None:
    path = write_onnx(tmp_path / "m.onnx", WEIGHTS[:5], (1, 3, *SIZE))
    with pytest.raises(RunError, match="gives 1x5x12x20 values, not scores of 19 labels in nchw"):
        segmenter(path, **PLAIN).predict(images)
    with pytest.raises(RunError, match="no map of labels: set the option output to scores"):
        segmenter(path, output="labels", **PLAIN).predict(images)
    as_map = write_onnx(tmp_path / "labels.onnx", WEIGHTS, (1, 3, *SIZE), labels=True)
    with pytest.raises(RunError, match=r"gives the label \d+, and the option labels names 3"):
        segmenter(as_map, output="labels", **PLAIN, **THREE).predict(images)


@pytest.mark.parametrize(
    ("library", "module", "package"),
    [("litert", "ai_edge_litert.interpreter", "ai-edge-litert"),
     ("onnx", "onnxruntime", "onnxruntime")],
)  # fmt: skip
def test_what_is_missing_is_named(library, module, package, tmp_path, monkeypatch) -> None:
    ending = {"litert": ".tflite", "onnx": ".onnx"}[library]
    path = tmp_path / f"m{ending}"
    with pytest.raises(UserError, match=rf"no checkpoint at .*m{ending}: put it there"):
        segmenter(path, library)
    path.write_bytes(b"no such format")
    with pytest.raises(UserError, match=rf"model 'm': .*m{ending} does not open \(.+\): copy or"):
        segmenter(path, library)
    other = tmp_path / "m.pth"
    other.write_bytes(b"x")
    with pytest.raises(UserError, match=rf"m.pth is no {ending} file, which {library} reads"):
        segmenter(other, library)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        UserError, match=rf"needs {package}: pip install 'vlmis\[{library}\]'"
    ) as raised:
        segmenter(path, library)
    assert "\n" not in str(raised.value)
