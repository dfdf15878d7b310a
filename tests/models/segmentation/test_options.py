"""Options of a segmenter, windows, precision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vlmis_utils.core.errors import UserError
from vlmis_utils.models.options import read_options
from vlmis_utils.models.segmentation.options import (
    ExportedOptions,
    SegmenterOptions,
    options_of,
    precision,
)
from vlmis_utils.models.segmentation.sliding_window import window_scores, windows
from vlmis_utils.protocol.models import ModelEntry, load_catalogue


def entry(**options: object) -> ModelEntry:
    return ModelEntry("m", "segmenter", "transformers-semantic", "a/b",
                      options=tuple(options.items()))  # fmt: skip


def test_options_from_a_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(
        "m:\n  library: transformers-semantic\n  checkpoint: a/b\n  options:\n"
        "    window: [512, 768]\n    size: native\n    precision: null\n"
        '    label_map: {tree: vegetation, "*": ignore}\n'
    )
    read = load_catalogue(path)["m"]
    hash(read)
    assert read_options(SegmenterOptions, read) == SegmenterOptions(
        window=(512, 768), size="native", label_map={"tree": "vegetation", "*": "ignore"}
    )
    assert read_options(SegmenterOptions, entry()) == SegmenterOptions()


def test_every_segmenter_of_the_catalogue_has_options_that_can_be_read() -> None:
    entries = [e for e in load_catalogue().values() if e.kind == "segmenter"]
    read = {e.name: read_options(options_of(e.library), e) for e in entries}
    assert read["segformer"] == read["mask2former"] == read["deeplabv3plus"] == SegmenterOptions()
    assert read["segformer-b5-cityscapes"].window == (1024, 1024)
    assert read["mask2former-swin-large-cityscapes"].masks == "full"
    assert read["deeplab-edgetpu-cityscapes"] == ExportedOptions(output="labels")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"windw": (1, 1)}, "unknown option 'windw' .did you mean 'window'"),
        ({"window": 512}, r"window must be \[height, width\]"),
        ({"window": (512, 0)}, r"window must be \[height, width\]"),
        ({"window": (512, 1.5)}, r"window must be \[height, width\]"),
        ({"window": "native"}, r"window must be \[height, width\]"),
        ({"size": "nativ"}, "or native"),
        ({"stride": (4, 4)}, "stride without window"),
        ({"window": (8, 8), "stride": (4, 9)}, "leaves gaps"),
        ({"masks": "fll"}, "masks must be 'library' or 'full', not 'fll'"),
        ({"precision": "fp16"}, "precision must be 'auto', .* not 'fp16'"),
        ({"label_map": "tree"}, "label_map must be"),
    ],
)
def test_bad_options(options, words) -> None:
    with pytest.raises(UserError, match=words):
        read_options(SegmenterOptions, entry(**options))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"window": (8, 8)}, "unknown option 'window'"),
        ({"layout": "chw"}, "layout must be 'nhwc' or 'nchw', not 'chw'"),
        ({"mean": (0, 0, 0)}, "mean and std go together"),
        ({"mean": (0.5,), "std": (1, 1, 1)}, "mean must be three numbers, for red, green and blue"),
        ({"mean": (0, 0, 0), "std": (1, 0, 1)}, "std must be three numbers other than 0"),
        ({"labels": ("road", "road")}, "labels names something twice"),
        ({"output": "label"}, "output must be 'scores' or 'labels'"),
    ],
)
@pytest.mark.parametrize("library", ["litert", "onnx"])
def test_bad_options_of_an_exported_file(library: str, options, words: str) -> None:
    given = ModelEntry("m", "segmenter", library, "m.onnx", options=tuple(options.items()))
    with pytest.raises(UserError, match=words):
        read_options(options_of(library), given)


@pytest.mark.parametrize(
    ("length", "window", "stride"), [(10, 4, 3), (9, 4, 4), (3, 8, 5), (8, 8, 1)]
)
def test_windows_cover_a_side(length: int, window: int, stride: int) -> None:
    found = list(windows(length, window, stride))
    covered = {i for start, stop in found for i in range(start, stop)}
    assert covered == set(range(length))
    assert {stop - start for start, stop in found} == {min(window, length)}
    starts = [start for start, _ in found]
    assert all(0 < b - a <= stride for a, b in zip(starts, starts[1:], strict=False))


def test_window_scores_are_means_over_windows() -> None:
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (2, 3, 13, 17), dtype=torch.uint8, generator=generator)

    def scores(part: torch.Tensor) -> torch.Tensor:
        x = part.float()
        return torch.cat([x, x.mean((1, 2, 3), keepdim=True).expand(-1, 1, *x.shape[2:])], 1)

    found = window_scores(scores, images, (6, 7), (4, 5)).numpy()
    seen = [[[] for _ in range(17)] for _ in range(13)]
    for top in (0, 4, 7):
        for left in (0, 5, 10):
            part = scores(images[:, :, top : top + 6, left : left + 7]).numpy()
            for y in range(6):
                for x in range(7):
                    seen[top + y][left + x].append(part[:, :, y, x])
    expected = np.array([[np.mean(cell, 0) for cell in row] for row in seen])
    np.testing.assert_allclose(found, expected.transpose(2, 3, 0, 1), rtol=1e-5)
    whole = window_scores(scores, images, (20, 20))
    assert torch.equal(whole, scores(images))


@pytest.mark.parametrize(
    ("device", "wanted", "native", "expected"),
    [
        ("cpu", "auto", True, torch.float32),
        ("cpu", "float16", True, torch.float32),
        ("cuda", "auto", True, torch.bfloat16),
        ("cuda:1", "auto", False, torch.float16),
        ("cuda", "float16", True, torch.float16),
        ("cuda", "float32", True, torch.float32),
    ],
)
def test_precision(device, wanted, native, expected, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert precision(device, wanted) is expected
