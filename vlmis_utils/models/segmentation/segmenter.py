"""A segmentation model on a device: batches in, train ids out, whatever fits in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from vlmis_utils.models.batching import check_images, in_parts

__all__ = ["Scorer", "Segmenter", "Steps", "WithScores"]

Grid = tuple[int, int]


class Scorer(Protocol):
    """From images to label maps."""

    def __call__(self, images: Tensor) -> Tensor:
        """Map uint8 (B, 3, H, W) to train ids, uint8 (B, H, W)."""
        ...


class Steps(Protocol):
    """The two steps of a model that has scores: from images to scores, and from scores to labels.

    Scores are linear in what the second step upsamples, so a mean of scores is a mean of logits.
    """

    def scores(self, images: Tensor) -> Tensor:
        """Map uint8 (B, 3, H, W) to float (B, C, h, w)."""
        ...

    def labels(self, scores: Tensor, size: tuple[int, int]) -> Tensor:
        """Map scores to train ids, uint8 (B, *size)."""
        ...


@runtime_checkable
class WithScores(Protocol):
    """A segmenter that can say how sure it is."""

    def predict_with_scores(self, images: Tensor, grid: Grid) -> tuple[Tensor, Tensor | None]:
        """Return label maps, and log probabilities on a grid; see `Segmenter`."""
        ...


class Segmenter:
    """A segmentation model on a device.

    Attributes:
        digest: 16 hex digits of the SHA-256 of all that determines a label map: weights and
            configuration files, options, and precision where it is not float32.
        device: where it runs.
        missing: train classes that the checkpoint cannot predict; empty unless a label map left
            some out.
        commit: of the hub repository that it came from, None for a folder.
    """

    def __init__(
        self,
        name: str,
        labels: Scorer,
        digest: str,
        device: str,
        precision: torch.dtype = torch.float32,
        missing: tuple[str, ...] = (),
        commit: str | None = None,
        scored: Callable[[Tensor, Grid], tuple[Tensor, Tensor]] | None = None,
        steps: Steps | None = None,
    ) -> None:
        self.name = name
        self.digest = digest
        self.device = device
        self.precision = precision
        self.missing = missing
        self.commit = commit
        self._labels, self._scored, self._steps = labels, scored, steps
        self._fitting: int | None = None  # images at a time, once more did not fit

    def predict(self, images: Tensor) -> Tensor:
        """Segment a batch.

        A batch that does not fit in memory is halved until it does; later batches start from there.

        Args:
            images: uint8 (B, 3, H, W), RGB, on any device.

        Returns:
            train ids, uint8 (B, H, W), on the images' device.

        Raises:
            UserError: images of another shape or type.
            RunError: one image alone does not fit in memory, or its scores are no numbers.
        """
        found = self._in_parts(self._train_ids, images)
        return torch.stack(found) if found else images.new_empty((0, *images.shape[2:]))

    def predict_with_scores(self, images: Tensor, grid: Grid) -> tuple[Tensor, Tensor | None]:
        """Segment a batch as `predict` does, and say how sure the model is.

        Args:
            images: as of `predict`, at least one.
            grid: rows and columns to which the model's own scores are interpolated.

        Returns:
            train ids as of `predict`; and log probabilities of the 19 classes, float32
            (B, 19, *grid) on the CPU, or None of a model that gives labels only.

        Raises:
            As `predict`.
        """
        if self._scored is None:
            return self.predict(images), None
        pairs = self._in_parts(lambda some: self._both(some, grid), images)
        return tuple(torch.stack(part) for part in zip(*pairs, strict=True))

    def _in_parts(self, run: Callable[[Tensor], list], images: Tensor) -> list:
        check_images(images)
        height, width = images.shape[2:]
        full = (
            f"{self.name}: one {height}x{width} image does not fit in memory: set device to cpu, or"
            " give the model a smaller window in the model catalogue"
        )
        return in_parts(run, images, full, self._fitting, self._remember)

    def scores(self, images: Tensor) -> Tensor | None:
        """Return what `labels_of` makes label maps of; None for a model that gives labels alone.

        Args:
            images: uint8 (B, 3, H, W), on any device.

        Returns:
            float (B, C, h, w), on the model's device.
        """
        if self._steps is None:
            return None
        with torch.inference_mode(), autocast(self.device, self.precision):
            return self._steps.scores(images.to(self.device))

    def labels_of(self, scores: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the label maps of `scores`: train ids, uint8 (B, *size)."""
        return self._steps.labels(scores, size)

    def _remember(self, most: int) -> None:
        self._fitting = most

    def _train_ids(self, images: Tensor) -> list[Tensor]:
        with torch.inference_mode(), autocast(self.device, self.precision):
            return list(self._labels(images.to(self.device)).to(images.device))

    def _both(self, images: Tensor, grid: Grid) -> list[tuple[Tensor, Tensor]]:
        with torch.inference_mode(), autocast(self.device, self.precision):
            labels, shares = self._scored(images.to(self.device), grid)
        return list(zip(labels.to(images.device), shares.float().cpu(), strict=True))


def autocast(device: str, precision: torch.dtype) -> torch.autocast:
    """Return the context in which a device computes in ``precision``; none for float32."""
    kind = "cuda" if device.startswith("cuda") else "cpu"
    lower = precision != torch.float32
    return torch.autocast(kind, precision if lower else torch.bfloat16, enabled=lower)
