"""From logits at stride 4 to confusion counts at 1024 x 2048, on one thread."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import torch
from paired import Row, paired, publish
from torch.nn import functional
from torchmetrics.functional.classification import multiclass_confusion_matrix
from transformers import SegformerImageProcessor

from vlmis_utils.datasets.registry import open_dataset
from vlmis_utils.metrics.confusion import _by_numpy, confusion, confusion_within
from vlmis_utils.models.segmentation.argmax import _by_torch, greatest, resize
from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.protocol.image_corridor import corridor_mask
from vlmis_utils.protocol.models import load_catalogue

SIZE = (1024, 2048)
IDS = torch.arange(19, dtype=torch.uint8)
SHAPE = "19x256x512 to 1024x2048"


def main() -> None:
    torch.set_num_threads(1)
    with torch.inference_mode():
        publish("scoring", [*_whole(), *_counts(), *_models()])


def _inputs() -> dict[str, tuple[torch.Tensor, np.ndarray]]:
    """Return logits and labels: a scene's, as SegFormer's are laid out, and pure noise."""
    from transformers import AutoModelForSemanticSegmentation

    scene = open_dataset("streetworld", split="test", limit=1, seed=0)[0]
    folder = "vlmis_utils/training/checkpoints/segformer"
    model = AutoModelForSemanticSegmentation.from_pretrained(folder, dtype=torch.float32).eval()
    picture = functional.interpolate(
        torch.from_numpy(scene.image()).permute(2, 0, 1)[None].float(), SIZE, mode="bicubic"
    ).clamp(0, 255)
    seen = SegformerImageProcessor(do_resize=False)(images=picture[0].byte(), return_tensors="pt")
    logits = model(**seen).logits
    labels = np.kron(scene.labels(), np.ones((4, 4), np.uint8))
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((1, 19, 256, 512), generator=generator) * 5
    any_class = torch.randint(0, 19, SIZE, generator=generator).to(torch.uint8).numpy()
    return {"a scene": (logits, labels), "noise": (noise, any_class)}


def _metric(validate: bool) -> Callable[[np.ndarray, torch.Tensor], torch.Tensor]:
    return lambda labels, found: multiclass_confusion_matrix(
        found, torch.from_numpy(labels).long(), 19, ignore_index=255, validate_args=validate
    )


def _whole() -> list[Row]:
    processor, rows = SegformerImageProcessor(), []
    for name, (logits, labels) in _inputs().items():

        def post(logits: torch.Tensor = logits) -> torch.Tensor:
            outputs = SimpleNamespace(logits=logits)
            return processor.post_process_semantic_segmentation(outputs, [SIZE])[0]

        def ours(logits: torch.Tensor = logits, labels: np.ndarray = labels) -> np.ndarray:
            return confusion(labels, greatest(logits, SIZE, IDS)[0].numpy())

        strict, loose = _metric(True), _metric(False)
        found, theirs = greatest(logits, SIZE, IDS)[0].numpy(), post().numpy()
        assert (found != theirs).mean() < 1e-5  # near ties
        assert np.array_equal(confusion(labels, theirs), strict(labels, post()).numpy())
        rows += [
            paired(
                f"logits to counts, {name}", SHAPE, "transformers + torchmetrics", ours,
                lambda post=post, labels=labels, strict=strict: strict(labels, post()),
                rounds=5, goal=10,
            ),
            paired(
                f"logits to counts, {name}", SHAPE, "the same, validate_args=False", ours,
                lambda post=post, labels=labels, loose=loose: loose(labels, post()), rounds=5,
            ),
            paired(
                f"logits to labels, {name}", SHAPE, "torch interpolate, argmax",
                lambda logits=logits: greatest(logits, SIZE, IDS),
                lambda logits=logits: resize(logits, SIZE).argmax(1),
                rounds=5,
            ),
        ]  # fmt: skip
    return rows


def _counts() -> list[Row]:
    rows = []
    for name, (logits, labels) in _inputs().items():
        found = _by_torch(logits, SIZE, IDS)[0]
        predicted, wide, inside = found.numpy(), found.long(), corridor_mask(*SIZE)
        subject = f"counts, {name}"

        def ours(labels: np.ndarray = labels, predicted: np.ndarray = predicted) -> np.ndarray:
            return confusion(labels, predicted)

        strict, loose = _metric(True), _metric(False)
        rows += [
            paired(subject, "1024x2048", "torchmetrics", ours,
                   lambda labels=labels, wide=wide, metric=strict: metric(labels, wide)),
            paired(subject, "1024x2048", "torchmetrics, validate_args=False", ours,
                   lambda labels=labels, wide=wide, metric=loose: metric(labels, wide)),
            paired(subject, "1024x2048", "numpy bincount", ours,
                   lambda labels=labels, predicted=predicted: _by_numpy(labels, predicted, 19)),
            paired(
                f"counts, {name}, and corridor", "1024x2048", "confusion twice",
                lambda a=labels, b=predicted, inside=inside: confusion_within(a, b, inside),
                lambda a=labels, b=predicted, inside=inside: (
                    confusion(a, b), confusion(a[inside], b[inside])
                ),
            ),
        ]  # fmt: skip
    return rows


def _models() -> list[Row]:
    """Compare whole predictions of the embedded segmenters with upsampling left to torch."""
    from vlmis_utils.models.segmentation import loading

    scene = open_dataset("streetworld", split="test", limit=1, seed=0)[0]
    images = torch.from_numpy(scene.image()).permute(2, 0, 1)[None].contiguous()
    rows, catalogue = [], load_catalogue()
    for name in ("deeplabv3plus", "segformer", "mask2former"):
        ours = load_segmenter(catalogue[name])
        loading.greatest = _by_torch  # type: ignore[assignment]
        theirs = load_segmenter(catalogue[name])

        def before(theirs: object = theirs, images: torch.Tensor = images) -> torch.Tensor:
            loading.greatest = _by_torch  # type: ignore[assignment]
            return theirs.predict(images)  # type: ignore[attr-defined]

        def after(ours: object = ours, images: torch.Tensor = images) -> torch.Tensor:
            loading.greatest = greatest  # type: ignore[assignment]
            return ours.predict(images)  # type: ignore[attr-defined]

        assert torch.equal(before(), after())
        rows.append(
            paired(f"{name}, image to labels", "256x512", "torch upsampling", after, before)
        )
        loading.greatest = greatest  # type: ignore[assignment]
    return rows


if __name__ == "__main__":
    main()
