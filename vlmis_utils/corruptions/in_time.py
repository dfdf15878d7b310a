"""The corruptions of Table 1 on the frames of sequences; see `protocol.timing`."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from vlmis_utils.corruptions.backends import backend_module, resolve_backend
from vlmis_utils.corruptions.corrupt import corrupt, degrade
from vlmis_utils.corruptions.occluder import occluder
from vlmis_utils.protocol.conditions import BLANK, blur_length, condition_row
from vlmis_utils.protocol.timing import InTime, Timing, condition_at

__all__ = ["degrade_frames", "occluder_at"]


def occluder_at(
    condition: str, frame: InTime, timing: Timing, height: int, width: int, seed: int
) -> tuple[int, int, int, int] | None:
    """Return the occluder (top, left, height, width) of a frame, pixels; None where it has none.

    Its place is drawn for the sequence, so a lens keeps its dirt.
    """
    now = condition_at(condition, frame.time, timing)
    row = None if now == BLANK else condition_row(now)
    if row is None or row.share is None:
        return None
    box = occluder(frame.sequence, row.severity, height, width, seed)
    return timing.shifted(box, frame.time, width)


def degrade_frames(
    images: torch.Tensor,
    condition: str,
    frames: Sequence[InTime],
    timing: Timing,
    *,
    scene_ids: Sequence[str],
    device: str = "cpu",
    backend: str = "auto",
    seed: int = 0,
    blur_scale: str = "absolute",
    noise_sigma: Sequence[float],
) -> torch.Tensor:
    """Degrade frames of sequences, each by what its condition is at its time.

    Args:
        images: uint8 (B, 3, H, W), RGB, clean.
        condition: of the sequence.
        frames: B places in time.
        timing: how the condition holds over time.
        scene_ids: B names: noise is drawn for each frame anew.
        device, backend, seed, blur_scale, noise_sigma: as of `corruptions.corrupt`.

    Returns:
        uint8 (B, 3, H, W) on ``device``.
    """
    if condition == BLANK:
        return degrade(images, condition, scene_ids=scene_ids, device=device)
    backend = resolve_backend(backend, device)
    images = images.to(device) if backend == "kornia" else images
    module = backend_module(backend, images.device)
    height, width = images.shape[-2:]
    found = []
    for image, frame, name in zip(images.split(1), frames, scene_ids, strict=True):
        now = condition_at(condition, frame.time, timing)
        row = condition_row(now)
        box = occluder_at(condition, frame, timing, height, width, seed)
        if box is not None:
            found.append(module.occlude(image, [box]))
        elif row is not None and row.kernel is not None:
            length = blur_length(row.kernel, width, blur_scale) * timing.blur_factor(frame.speed)
            found.append(module.motion_blur(image, max(1.0, length)))
        else:
            found.append(
                corrupt(image, now, scene_ids=[name], seed=seed, blur_scale=blur_scale,
                        noise_sigma=noise_sigma, backend=backend)
            )  # fmt: skip
    return torch.cat(found).to(device)
