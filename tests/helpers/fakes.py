"""Stand-ins for models and data: small, fast and deterministic, with the real protocols."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image

from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.classes import OBJECT_CLASSES
from vlmis_utils.protocol.models import ModelEntry
from vlmis_utils.protocol.prompts import Prompt
from vlmis_utils.protocol.study import Study
from vlmis_utils.runner.context import Loaders

HEIGHT, WIDTH = 24, 32


class FakeSegmenter:
    """Calls bright pixels sky and dark ones road."""

    digest = "fake-segmenter"

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        _count("segmenter", len(images))
        return torch.where(images.float().mean(1) > 100, 10, 0).to(torch.uint8)


class FakeVlm:
    """Talks like a generative model, or scores like a contrastive one, by the mean grey value."""

    def __init__(self, name: str) -> None:
        self.name, self.digest = name, f"fake-{name}"

    def answer(self, images: torch.Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        _count(self.name, len(images))
        return [[self._one(float(i.float().mean()), p.name) for p in prompts] for i in images]

    def _one(self, grey: float, prompt: str) -> Answer:
        bright = grey > 100
        if self.name == "talker":
            words = {
                "describe": "A street with a car and a pedestrian." if bright else "It is dark.",
                "safety": "It is safe." if bright else "I cannot tell.",
            }
            return Answer(words.get(prompt, "Yes." if bright else "No."))
        known = {"describe": OBJECT_CLASSES, "safety": ("safe", "unsafe")}
        labels = known.get(prompt, ("yes", "no"))
        return Answer(None, tuple(labels), tuple(grey - 10.0 * i for i in range(len(labels))))


def load_segmenter(entry: ModelEntry, device: str = "cpu") -> FakeSegmenter:
    return FakeSegmenter()


def load_vlm(entry: ModelEntry, device: str = "cpu") -> FakeVlm:
    return FakeVlm(entry.name)


LOADERS = Loaders(load_segmenter, load_vlm)


def _count(model: str, images: int) -> None:
    """Write down that a model ran, in the file that a test names; works across processes."""
    path = os.environ.get("VLMIS_TEST_COUNTS")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{model} {images}\n")


def make_camvid(root: Path, scenes: int) -> Path:
    """Write a tiny dataset in CamVid's layout: road below sky, with a car or a pedestrian."""
    rng = np.random.default_rng(0)
    (root / "test").mkdir(parents=True)
    (root / "testannot").mkdir()
    for index in range(scenes):
        labels = np.full((HEIGHT, WIDTH), 3, np.uint8)
        labels[: HEIGHT // 2] = 0
        labels[10:16, 4 + index : 10 + index] = 8 if index % 2 else 9
        image = rng.integers(60, 200, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        image[: HEIGHT // 2] = 220
        Image.fromarray(image).save(root / "test" / f"a_{index:02d}.png")
        Image.fromarray(labels).save(root / "testannot" / f"a_{index:02d}.png")
    return root


def make_study(folder: Path, scenes: int = 7, **changes: object) -> Study:
    """Return a study on a tiny dataset with the fake models, all of it under ``folder``."""
    data = folder / "data"
    if not data.exists():
        make_camvid(data, scenes)
    entries = {
        "blocks": ("segmenter", "deeplabv3plus"),
        "talker": ("vlm", "transformers-vlm"),
        "scorer": ("vlm", "open_clip"),
    }
    catalogue = {}
    for name, (kind, library) in entries.items():
        checkpoint = folder / "checkpoints" / name
        checkpoint.mkdir(parents=True, exist_ok=True)
        (checkpoint / "config.json").write_text("{}")
        catalogue[name] = {
            "kind": kind, "library": library, "checkpoint": str(checkpoint), "shown": name,
        }  # fmt: skip
    (folder / "models.yaml").write_text(yaml.safe_dump(catalogue))
    study = Study(
        study="tiny", dataset="camvid", data_root=str(data), scenes=scenes,
        conditions=("clean", "LL3", "MB3", "OCC3"), segmenters=("blocks",),
        vlms=("talker", "scorer"), bootstrap=50, batch_size=2, shard_size=3, workers=1, mirrored=0,
        device="cpu", build_root=str(folder / "build"), models=str(folder / "models.yaml"),
    )  # fmt: skip
    return replace(study, **changes)
