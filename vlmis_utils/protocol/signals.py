"""What a vehicle can know of a picture without its truth: names and meanings of what is recorded.

`metrics.signals` computes these signals; `records.schema` has a column for each.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["COARSE", "FLIPS", "GRID", "PICTURE_SIGNALS", "REGIONS", "SEGMENTER_SIGNALS",
           "STATISTICS", "TEMPERATURES"]  # fmt: skip

# Rows and columns, whatever the size of a picture: of the scores, and of the label map kept.
GRID = (64, 128)
COARSE = (32, 64)

# By which scores are divided before the softmax.
TEMPERATURES = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)

PICTURE_SIGNALS: Mapping[str, str] = {
    "sharpness": "variance of the Laplacian of the grey values, which are in [0, 1]",
    "brightness": "mean of the grey values",
    "contrast": "standard deviation of the grey values",
    "noise": "standard deviation of the noise of the grey values, Immerkaer's estimate",
    "black_share": "share of pixels with all channels below 6 of 255",
    "white_share": "share of pixels with a channel above 249 of 255",
    "variation": "total variation for each pixel, all channels together",
}

STATISTICS: Mapping[str, str] = {
    "entropy": "mean entropy of the softmax by log 19",
    "entropy_tail": "95 % quantile of that entropy",
    "margin": "mean gap of the two greatest probabilities",
    "margin_tail": "5 % quantile of that gap",
}
REGIONS: Mapping[str, str] = {
    "image": "over the image",
    "corridor": "over the trapezoid ahead",
    "critical": "over what is predicted as a critical class; null without any",
}
SEGMENTER_SIGNALS: Mapping[str, str] = {
    f"{name}_{region}": f"{statistic}, {where}"
    for region, where in REGIONS.items()
    for name, statistic in STATISTICS.items()
}

FLIPS: Mapping[str, str] = {
    "flip_image": "share of pixels that change class when the image is mirrored and moved by 1",
    "flip_corridor": "the same inside the trapezoid",
    "flip_critical": "the same of pixels called critical by either; null without any",
}
