"""Scores of a large image, each the mean over the overlapping windows that hold the pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

__all__ = ["window_scores", "windows"]


def windows(length: int, window: int, stride: int) -> Iterator[tuple[int, int]]:
    """Yield start and stop of the windows that cover a side of an image, the last moved inside.

    >>> list(windows(2048, 1024, 768))
    [(0, 1024), (768, 1792), (1024, 2048)]
    >>> list(windows(600, 1024, 768))
    [(0, 600)]
    """
    count = max(0, -(-(length - window) // stride)) + 1
    for index in range(count):
        stop = min(index * stride + window, length)
        yield max(0, stop - window), stop


def window_scores(
    scores: Callable[[Tensor], Tensor],
    images: Tensor,
    window: tuple[int, int],
    stride: tuple[int, int] | None = None,
) -> Tensor:
    """Return the scores of images, each the mean over the windows that hold the pixel.

    Args:
        scores: of images uint8 (B, 3, h, w), float (B, C, h, w).
        images: uint8 (B, 3, H, W).
        window: height and width; an image smaller than that is one window.
        stride: from one window to the next; three quarters of the window by default.

    Returns:
        float32 (B, C, H, W).
    """
    stride = stride or tuple(max(1, side * 3 // 4) for side in window)
    height, width = images.shape[2:]
    total = count = None
    for top, bottom in windows(height, window[0], stride[0]):
        for left, right in windows(width, window[1], stride[1]):
            part = scores(images[:, :, top:bottom, left:right]).float()
            if total is None or count is None:
                total = part.new_zeros((len(images), part.shape[1], height, width))
                count = part.new_zeros((1, 1, height, width))
            total[:, :, top:bottom, left:right] += part
            count[:, :, top:bottom, left:right] += 1
    assert total is not None and count is not None
    return total / count
