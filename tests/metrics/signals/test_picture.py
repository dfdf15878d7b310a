"""Signals of a picture against OpenCV, numpy and noise of a known size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from vlmis_utils.metrics.signals.picture import picture_signals
from vlmis_utils.protocol.signals import PICTURE_SIGNALS


def pictures(count: int = 3) -> torch.Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.integers(0, 256, (count, 3, 20, 30), dtype=np.uint8))


def test_they_are_those_of_other_libraries() -> None:
    images = pictures()
    found = picture_signals(images)
    assert list(found) == list(PICTURE_SIGNALS)
    for index, image in enumerate(images.numpy()):
        shares = image.astype(np.float64) / 255
        grey = shares.mean(axis=0)
        inside = cv2.Laplacian(grey, cv2.CV_64F)[1:-1, 1:-1]
        assert found["sharpness"][index] == pytest.approx(inside.var(), rel=1e-4)
        assert found["brightness"][index] == pytest.approx(grey.mean(), rel=1e-5)
        assert found["contrast"][index] == pytest.approx(grey.std(), rel=1e-4)
        varied = sum(np.abs(np.diff(shares, axis=axis)).sum() for axis in (1, 2))
        assert found["variation"][index] == pytest.approx(varied / 600, rel=1e-4)
        assert found["black_share"][index] == pytest.approx((image.max(axis=0) < 6).mean())
        assert found["white_share"][index] == pytest.approx((image.max(axis=0) > 249).mean())


@pytest.mark.parametrize("sigma", [0.01, 0.03, 0.06])
def test_noise_on_a_slope_is_seen_for_what_it_is(sigma: float) -> None:
    rng = np.random.default_rng(1)
    slope = np.linspace(0.3, 0.7, 200)[None, :] * np.ones((150, 1))
    grey = slope + rng.normal(0, sigma, slope.shape)
    image = torch.from_numpy((grey * 255).round().astype(np.uint8)).expand(1, 3, -1, -1)
    assert picture_signals(image)["noise"][0] == pytest.approx(sigma, rel=0.05)


def test_a_picture_of_one_pixel_has_signals() -> None:
    found = picture_signals(torch.full((2, 3, 1, 1), 255, dtype=torch.uint8))
    assert found["brightness"] == [1, 1] and found["sharpness"] == [0, 0]
    assert found["white_share"] == [1, 1] and found["variation"] == [0, 0]


def test_a_picture_alone_has_the_signals_that_it_has_among_others() -> None:
    images = pictures()
    together = picture_signals(images)
    for index in range(len(images)):
        for name, (value,) in picture_signals(images[index : index + 1]).items():
            assert together[name][index] == pytest.approx(value, rel=1e-5)
