"""A segmentation model on a device: batches in, train ids out, whatever fits in memory."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from vlmis_utils.core.errors import UserError
from vlmis_utils.models.batching import in_parts

__all__ = ["Scorer", "Segmenter"]


class Scorer(Protocol):
    """From images to label maps."""

    def __call__(self, images: Tensor) -> Tensor:
        """Map uint8 (B, 3, H, W) to train ids, uint8 (B, H, W)."""
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
    ) -> None:
        self.name = name
        self.digest = digest
        self.device = device
        self.precision = precision
        self.missing = missing
        self.commit = commit
        self._labels = labels
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
        if images.ndim != 4 or images.shape[1] != 3 or images.dtype != torch.uint8:
            raise UserError(
                f"images must be uint8 (B, 3, H, W), not {images.dtype} {tuple(images.shape)}"
            )
        height, width = images.shape[2:]
        full = (
            f"{self.name}: one {height}x{width} image does not fit in memory: set device to cpu, or"
            " give the model a smaller window in the model catalogue"
        )
        found = in_parts(self._train_ids, images, full, self._fitting, self._remember)
        return torch.stack(found) if found else images.new_empty((0, height, width))

    def _remember(self, most: int) -> None:
        self._fitting = most

    def _train_ids(self, images: Tensor) -> list[Tensor]:
        with torch.inference_mode(), autocast(self.device, self.precision):
            return list(self._labels(images.to(self.device)).to(images.device))


def autocast(device: str, precision: torch.dtype) -> torch.autocast:
    """Return the context in which a device computes in ``precision``; none for float32."""
    kind = "cuda" if device.startswith("cuda") else "cpu"
    lower = precision != torch.float32
    return torch.autocast(kind, precision if lower else torch.bfloat16, enabled=lower)
