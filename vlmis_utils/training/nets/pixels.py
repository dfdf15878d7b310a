"""Pixels as the towers of the VLMs want them, and what a frozen tower makes of many."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["MEAN", "STD", "encoded", "kept", "normalise", "principal_patches"]

MEAN = (0.4815, 0.4578, 0.4082)
STD = (0.2686, 0.2613, 0.2758)


def encoded(
    see: Callable[[Tensor], Tensor],
    images: np.ndarray,
    device: str,
    mirrored: bool = False,
    workers: int = 1,
    batch: int = 4,
) -> Tensor:
    """Return what a frozen tower makes of images, float16 (N, ...), on the CPU.

    Args:
        see: maps normalised images (B, 3, H, W) to (B, ...).
        images: uint8 (N, H, W, 3).
        device: of the tower.
        mirrored: flip the images.
        workers: threads that encode batches.
        batch: images at a time; what glibc hands out to threads it takes back above 64 MB.
    """

    @torch.inference_mode()
    def rows(start: int) -> Tensor:
        part = torch.from_numpy(np.array(images[start : start + batch]))
        part = normalise(part.permute(0, 3, 1, 2)).to(device)
        return see(part.flip(-1) if mirrored else part).half().cpu()

    with ThreadPoolExecutor(workers) as pool:
        return torch.cat(list(pool.map(rows, range(0, len(images), batch))))


def kept(make: Callable[[], Tensor], path: Path, key: str) -> Tensor:
    """Return what ``make`` does, kept in a file so that a resumed run need not make it again."""
    if path.exists():
        kept = torch.load(path, weights_only=True)
        if kept["key"] == key:
            return kept["tokens"]
    tokens = make()
    torch.save({"key": key, "tokens": tokens}, path.with_suffix(".partial"))
    os.replace(path.with_suffix(".partial"), path)
    return tokens


def normalise(images: Tensor) -> Tensor:
    """Map uint8 (B, 3, H, W) to float32 with the mean and deviation that checkpoints declare."""
    mean, std = (torch.tensor(value).view(1, 3, 1, 1) for value in (MEAN, STD))
    return ((images.float() / 255 - mean) / std).contiguous()


def principal_patches(images: np.ndarray, patch: int, width: int, scenes: int = 48) -> Tensor:
    """Return the ``width`` leading principal directions of patches, whitened: (width, 3, p, p).

    A patch embedding that starts from them hands the transformer decorrelated tokens of unit
    variance, instead of a thousandfold spread of scales that it would first have to learn away.
    """
    step = max(1, len(images) // scenes)
    sample = torch.from_numpy(np.array(images[::step][:scenes]))
    pixels = normalise(sample.permute(0, 3, 1, 2))
    rows = functional.unfold(pixels, patch, stride=patch).transpose(1, 2).reshape(-1, 3 * patch**2)
    values, vectors = torch.linalg.eigh(torch.cov(rows.T))
    values, vectors = values[-width:].flip(0), vectors[:, -width:].flip(1)
    scaled = vectors / (values.clamp(min=0) + 0.01).sqrt()
    return scaled.T.reshape(-1, 3, patch, patch).contiguous()
