"""A segmenter of the catalogue, exported to ONNX, labels pixels as it does in its own library."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.helpers.exported_files import write_onnx
from vlmis_utils.datasets.registry import open_dataset
from vlmis_utils.models.segmentation.deeplab import DeepLabV3Plus
from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.protocol.models import ModelEntry, load_catalogue

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZE = (256, 512)


class Logits(nn.Module):
    """The coarse scores alone, as a file is to hold them."""

    def __init__(self, entry: ModelEntry) -> None:
        super().__init__()
        if entry.library == "deeplabv3plus":
            self.model = DeepLabV3Plus.from_pretrained(Path(entry.checkpoint))
        else:
            from transformers import AutoModelForSemanticSegmentation

            self.model = AutoModelForSemanticSegmentation.from_pretrained(entry.checkpoint)
            self.model.float()

    def forward(self, image: Tensor) -> Tensor:
        if isinstance(self.model, DeepLabV3Plus):
            return self.model.coarse(image)
        return self.model(pixel_values=image).logits


@pytest.fixture(scope="module")
def images() -> Tensor:
    scenes = open_dataset("streetworld", split="test", limit=2, seed=0)
    return torch.stack([torch.from_numpy(s.image().copy()).permute(2, 0, 1) for s in scenes])


@pytest.mark.filterwarnings("ignore")  # of the exporter, about what is constant at one size
@pytest.mark.parametrize("name", ["segformer", "deeplabv3plus"])
def test_it_gives_the_same_labels(name: str, tmp_path: Path, images: Tensor) -> None:
    entry = load_catalogue()[name]
    path = tmp_path / f"{name}.onnx"
    torch.onnx.export(
        Logits(entry).eval(), (torch.zeros(1, 3, *SIZE),), str(path), dynamo=False,
        input_names=["image"], output_names=["scores"],
    )  # fmt: skip
    options = (("mean", MEAN), ("std", STD))
    exported = ModelEntry("mine", "segmenter", "onnx", str(path), options=options)
    expected = load_segmenter(entry).predict(images)
    found = load_segmenter(exported).predict(images)
    assert len(expected.unique()) > 8
    assert (found == expected).float().mean() > 0.9999, "near ties alone may differ"


def test_the_entry_that_the_page_about_models_shows_loads(tmp_path: Path) -> None:
    page = Path("notebooks/models.md").read_text(encoding="utf-8")
    shown = re.search(r"```yaml\n(.*?)```", page, re.DOTALL).group(1)
    weights = np.random.default_rng(0).normal(size=(3, 3))
    path = write_onnx(tmp_path / "mine.onnx", weights, (1, 3, 8, 8))
    (tmp_path / "models.yaml").write_text(shown.replace("checkpoints/mine.onnx", str(path)))
    mine = load_segmenter(load_catalogue(tmp_path / "models.yaml")["mine"])
    noise = torch.randint(0, 256, (1, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    assert set(mine.predict(noise.to(torch.uint8)).unique().tolist()) == {0, 13}, "road and car"
