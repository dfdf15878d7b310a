"""The images of a task in batches, in the form in which its model sees them.

A scene is decoded once to uint8 (3, H, W) and stays in that layout: stacked, moved to the device
of the model, degraded there, and handed to the model.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vlmis_utils.core.errors import RunError
from vlmis_utils.corruptions.corrupt import degrade
from vlmis_utils.corruptions.in_time import degrade_frames
from vlmis_utils.datasets.cache import prefetch
from vlmis_utils.datasets.registry import Scene
from vlmis_utils.runner.context import RunContext
from vlmis_utils.runner.in_time import in_time

__all__ = ["Batch", "array_digest", "batches", "image_digest", "luma", "psnr"]

_Group = tuple[list[Scene], list[torch.Tensor], list[np.ndarray]]


@dataclass(frozen=True, eq=False)
class Batch:
    """Images of one size that a model sees at once.

    Attributes:
        scenes: B scenes.
        labels: their label maps, uint8 (H, W).
        clean: uint8 (B, 3, H, W), on the CPU.
        seen: the same under the condition, on the device of the model.
        digests: B digests of what is seen, see `image_digest`.
    """

    scenes: Sequence[Scene]
    labels: Sequence[np.ndarray]
    clean: torch.Tensor
    seen: torch.Tensor
    digests: Sequence[str]


def batches(
    context: RunContext,
    scenes: Sequence[Scene],
    condition: str,
    device: str,
    recorded: Mapping[str, str] | None = None,
) -> Iterator[Batch]:
    """Yield the images of scenes under a condition, at most the study's batch size at a time.

    Beside a GPU the next batch is made while the model has this one; on a CPU the model has all
    cores, and there is nothing to gain.

    Args:
        context: the study.
        scenes: which, in order; a batch ends where the size changes.
        condition: of Table 1, or blank.
        device: where the images shall lie.
        recorded: digests by scene_id that the images must have; others are not checked.

    Raises:
        RunError: a file is damaged, or an image is not the one recorded.
    """
    made = _made(context, scenes, condition, device, recorded or {})
    return made if device.startswith("cpu") else prefetch(made)


def _made(
    context: RunContext,
    scenes: Sequence[Scene],
    condition: str,
    device: str,
    recorded: Mapping[str, str],
) -> Iterator[Batch]:
    for scenes_of, images, labels in _groups(context, scenes):
        clean = torch.stack(images)
        seen = _degraded(context, scenes_of, clean, condition, device)
        digests = [image_digest(image) for image in seen]
        for scene, digest in zip(scenes_of, digests, strict=True):
            if recorded.get(scene.scene_id, digest) != digest:
                raise RunError(
                    f"scene {scene.scene_id} under {condition} is not the image recorded: the data "
                    f"changed during the study; remove {context.study.store / 'shards'} and rerun"
                )
        yield Batch(scenes_of, labels, clean, seen, digests)


def _degraded(
    context: RunContext, scenes: list[Scene], clean: torch.Tensor, condition: str, device: str
) -> torch.Tensor:
    study = context.study
    how = {
        "scene_ids": [scene.scene_id for scene in scenes], "device": device,
        "backend": context.backend, "seed": study.seed, "blur_scale": study.blur_scale,
        "noise_sigma": study.noise_sigma,
    }  # fmt: skip
    if not study.frames:
        return degrade(clean, condition, **how)
    return degrade_frames(clean, condition, [in_time(s) for s in scenes], study.timing, **how)


def _groups(context: RunContext, scenes: Sequence[Scene]) -> Iterator[_Group]:
    """Yield scenes of one size, as many as a batch holds."""
    group: _Group = ([], [], [])
    for scene in scenes:
        image, labels = context.decoded(scene)
        full = len(group[0]) == context.study.batch_size
        if group[0] and (full or image.shape != group[1][0].shape):
            yield group
            group = ([], [], [])
        for part, one in zip(group, (scene, image, labels), strict=True):
            part.append(one)
    if group[0]:
        yield group


def image_digest(image: torch.Tensor) -> str:
    """Return the digest of an image uint8 (3, H, W): of its shape and bytes as (H, W, 3).

    That is the order of pixels in a file: row by row, red, green and blue of each together.
    """
    return array_digest(image.permute(1, 2, 0).contiguous().cpu().numpy())


def array_digest(array: np.ndarray) -> str:
    """Return the SHA-256 of an array's shape and bytes, as hex digits."""
    digest = hashlib.sha256(repr(array.shape).encode())
    digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def luma(seen: torch.Tensor) -> float:
    """Return the mean luma of an image, 0 to 1, by the weights of ITU-R Recommendation BT.601.

    Luma is taken of the values as they are coded, gamma and all, as Table 1 darkens those. Sums
    are of whole numbers: the same on every device.

    Args:
        seen: uint8 (3, H, W), red, green, blue.

    >>> luma(torch.full((3, 2, 2), 255, dtype=torch.uint8))
    1.0
    """
    red, green, blue = seen.sum(dim=(1, 2), dtype=torch.int64).tolist()
    return (299 * red + 587 * green + 114 * blue) / (1000 * 255 * seen[0].numel())


def psnr(clean: torch.Tensor, seen: torch.Tensor) -> float | None:
    """Return the peak signal-to-noise ratio of an image in dB; None where the two are equal.

    Args:
        clean, seen: uint8 (3, H, W), peak 255, on one device.

    >>> black = torch.zeros(3, 2, 2, dtype=torch.uint8)
    >>> psnr(black, black + 255), psnr(black, black)
    (0.0, None)
    """
    squares = (clean.to(torch.int32) - seen.to(torch.int32)).square().sum(dtype=torch.int64)
    error = squares.item() / clean.numel()
    return 10 * math.log10(255**2 / error) if error else None
