"""Measurements that need a GPU: each function returns rows for ``book/measured/gpu.csv``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

import torch

from vlmis_utils.corruptions import kornia_backend
from vlmis_utils.corruptions.corrupt import corrupt
from vlmis_utils.protocol.conditions import CONDITIONS, TABLE1
from vlmis_utils.protocol.models import ModelEntry, find_model, load_catalogue
from vlmis_utils.protocol.prompts import PROMPTS

SEGMENTERS = ("deeplabv3plus", "segformer", "mask2former")
GENERATIVE = "qwen2-vl"


@dataclass(frozen=True)
class Row:
    """One number.

    Attributes:
        subject: what is measured.
        inputs: on what.
        value, unit: the number.
        reference: what it is compared with.
    """

    subject: str
    inputs: str
    value: float
    unit: str
    reference: str


def milliseconds(work: Callable[[], object], device: str, rounds: int = 10) -> float:
    """Return the median time of a call in milliseconds, the device's work included."""
    took = []
    for index in range(rounds + 2):
        start = time.perf_counter()
        work()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        if index >= 2:  # the first ones compile and choose
            took.append(1000 * (time.perf_counter() - start))
    return median(took)


def noise_images(count: int, height: int, width: int, device: str) -> torch.Tensor:
    """Return random images uint8 (count, 3, height, width), the same on every device."""
    generator = torch.Generator().manual_seed(0)
    shape = (count, 3, height, width)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator).to(device)


def equal_bytes(device: str, sizes: Sequence[tuple[int, int]]) -> list[Row]:
    """Compare each condition on the device with the CPU, byte by byte, at each size and scale."""
    rows = []
    for height, width in sizes:
        images = noise_images(4, height, width, "cpu")
        names = [f"scene {number}" for number in range(len(images))]
        for scale in ("absolute", "relative"):
            options = {"scene_ids": names, "blur_scale": scale}
            differing = sum(
                int((corrupt(images.to(device), c, **options).cpu() != here).sum())
                for c in CONDITIONS
                for here in [corrupt(images, c, **options)]
            )
            inputs = f"4 x {height}x{width}, ten conditions, {scale} blur"
            reference = "the same on the CPU"
            rows.append(Row("corruptions: bytes that differ", inputs, differing, "", reference))
    return rows


def bandwidth(device: str, count: int = 16, height: int = 1024, width: int = 2048) -> list[Row]:
    """Time each corruption against a copy of the same images, which moves the fewest bytes."""
    images = noise_images(count, height, width, device)
    names = [f"scene {number}" for number in range(count)]
    copy = milliseconds(images.clone, device)
    inputs = f"{count} x {height}x{width}"
    rate = 2 * images.nbytes / copy / 1e6
    rows = [Row("copy", inputs, rate, "GB/s read and written", "torch.clone")]
    for row in TABLE1:
        if row.kernel is not None:

            def work(length: float = float(row.kernel)) -> object:
                return kornia_backend.motion_blur(images, length)
        else:

            def work(condition: str = row.condition) -> object:
                return corrupt(images, condition, scene_ids=names, backend="kornia")

        took = milliseconds(work, device)
        rows.append(Row(f"{row.condition} by Kornia", inputs, took, "ms", f"copy {copy:.3g} ms"))
        share = 100 * copy / took
        rows.append(
            Row(f"{row.condition}: share of a copy's bandwidth", inputs, share, "%", "copy")
        )
    return rows


def half_precision(device: str, images: torch.Tensor) -> list[Row]:
    """Compare models in bfloat16 with float32 on the same device: label maps and answers."""
    catalogue = load_catalogue("params/models.yaml")
    inputs = f"{len(images)} scenes, clean and LL3"
    names = [f"scene {number}" for number in range(len(images))]
    dark = corrupt(images.to(device), "LL3", scene_ids=names)
    seen = torch.cat([images.to(device), dark])
    rows = []
    for name in SEGMENTERS:
        entry = find_model(catalogue, name, "segmenter")
        full, half = (_labels(_with(entry, precision=p), device, seen) for p in _PRECISIONS)
        share = 100 * float((full == half).float().mean())
        rows.append(Row(f"{name}: pixels with one label", inputs, share, "%", "float32"))
    entry = find_model(catalogue, GENERATIVE, "vlm")
    full, half = (_answers(_with(entry, dtype=p), device, seen) for p in _PRECISIONS)
    same = [a.text == b.text for a, b in zip(full, half, strict=True)]
    share = 100 * sum(same) / len(same)
    rows.append(Row(f"{GENERATIVE}: equal answers", inputs, share, "%", "float32"))
    gaps = [
        abs(a.p_yes - b.p_yes)
        for a, b in zip(full, half, strict=True)
        if a.p_yes is not None and b.p_yes is not None
    ]
    if gaps:
        what = f"{GENERATIVE}: largest change of P(yes)"
        rows.append(Row(what, inputs, max(gaps), "", "float32"))
    return rows


_PRECISIONS = ("float32", "bfloat16")


def _with(entry: ModelEntry, **options: object) -> ModelEntry:
    """Return a catalogue entry with other options."""
    return replace(entry, options=tuple((dict(entry.options) | options).items()))


def _labels(entry: ModelEntry, device: str, images: torch.Tensor) -> torch.Tensor:
    from vlmis_utils.models.segmentation.loading import load_segmenter

    return load_segmenter(entry, device).predict(images)


def _answers(entry: ModelEntry, device: str, images: torch.Tensor) -> list:
    from vlmis_utils.models.vlm.loading import load_vlm

    answered = load_vlm(entry, device).answer(images, PROMPTS)
    return [answer for of_image in answered for answer in of_image]
