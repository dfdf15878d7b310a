"""Entropies, margins and temperatures against scipy, scikit-learn and loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.metrics import log_loss

from vlmis_utils.metrics.signals.uncertainty import at_temperatures, coarse, entropy, uncertainty
from vlmis_utils.protocol.classes import IGNORE
from vlmis_utils.protocol.image_corridor import corridor_mask
from vlmis_utils.protocol.signals import SEGMENTER_SIGNALS, TEMPERATURES


def log_shares(spread: float = 3.0, count: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    scores = spread * torch.randn((count, 19, 16, 32), generator=generator)
    return torch.log_softmax(scores, dim=1)


def test_statistics_of_each_region_are_those_of_a_loop() -> None:
    given = log_shares()
    for own, shares in zip(uncertainty(given), given.exp().double().numpy(), strict=True):
        assert set(own) == set(SEGMENTER_SIGNALS)
        bits = stats.entropy(shares, base=19, axis=0)
        ranked = np.sort(shares, axis=0)
        gaps = ranked[-1] - ranked[-2]
        inside = {
            "image": np.ones((16, 32), bool),
            "corridor": corridor_mask(16, 32),
            "critical": np.isin(shares.argmax(axis=0), (6, 7, 11, 12)),
        }
        for region, mask in inside.items():
            expected = {
                "entropy": bits[mask].mean(), "entropy_tail": np.quantile(bits[mask], 0.95),
                "margin": gaps[mask].mean(), "margin_tail": np.quantile(gaps[mask], 0.05),
            }  # fmt: skip
            for name, value in expected.items():
                assert own[f"{name}_{region}"] == pytest.approx(value, abs=1e-5)


def test_without_a_critical_class_there_is_no_number_for_it() -> None:
    shares = torch.full((1, 19, 4, 8), 1e-9)
    shares[:, 0] = 1.0
    (own,) = uncertainty(shares.log())
    assert own["entropy_critical"] is None and own["margin_tail_critical"] is None
    assert own["entropy_image"] == pytest.approx(0, abs=1e-6)
    assert own["margin_image"] == pytest.approx(1, abs=1e-6)


def test_entropy_is_between_one_class_and_all() -> None:
    even = torch.full((1, 19, 2, 2), 1 / 19).log()
    assert torch.allclose(entropy(even), torch.ones(1, 2, 2))


def test_temperatures_are_those_of_scikit_learn() -> None:
    given = log_shares()
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 19, (2, 16, 32)).astype(np.uint8)
    labels[:, 0] = IGNORE
    for index, own in enumerate(at_temperatures(given, labels)):
        truth = labels[index, ::2, ::2].ravel()
        known = truth != IGNORE
        scores = given[index, :, ::2, ::2].flatten(1).T.double()
        for place, temperature in enumerate(TEMPERATURES):
            shares = torch.softmax(scores / temperature, dim=1).numpy()
            loss = log_loss(truth[known], shares[known], labels=range(19))
            assert own["tempered_loss"][place] == pytest.approx(loss, rel=1e-4)
            bits = stats.entropy(shares, base=19, axis=1).mean()
            assert own["tempered_entropy"][place] == pytest.approx(bits, rel=1e-4)


def test_a_hotter_softmax_is_less_sure() -> None:
    (own, _) = at_temperatures(log_shares(), np.zeros((2, 16, 32), np.uint8))
    assert (np.diff(own["tempered_entropy"]) > 0).all()


def test_nothing_labelled_has_no_loss() -> None:
    (own, _) = at_temperatures(log_shares(), np.full((2, 16, 32), IGNORE, np.uint8))
    assert np.isnan(own["tempered_loss"]).all()


def test_a_coarse_map_holds_the_centres_of_its_cells() -> None:
    labels = np.arange(64 * 128).reshape(64, 128)
    assert np.array_equal(coarse(labels, (64, 128)), labels)
    assert np.array_equal(coarse(labels, (32, 64)), labels[1::2, 1::2])
    assert coarse(labels[None, :50, :77], (32, 64)).shape == (1, 32, 64)
