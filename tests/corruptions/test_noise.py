"""The noise: bits against the authors' answers, deviates against the normal law, independence.

Every test looks at fixed keys, so a verdict never changes from run to run. A p-value must lie above
1e-4; a test of many correlations at once asks it of the sum of their squared z-scores, from both
sides, for values that are too even are no chance either.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats
from statsmodels.sandbox.stats.runs import runstest_1samp

from vlmis_utils.corruptions.noise import digest_words, gaussian, philox4x32, quantiles

LEAST = 1e-4
SHAPE = (3, 256, 512)
KEYS = [digest_words(0, "aachen_000001", "low light", 2)[0], 0, 2**64 - 1]


def halves(size: int, key: int) -> np.ndarray:
    """Return the 16-bit numbers behind ``size`` deviates, int64, in their order."""
    words = philox4x32(torch.arange(size // 8), key)
    return torch.stack((words & 0xFFFF, words >> 16), dim=-1).reshape(-1).numpy()


def field(key: int) -> np.ndarray:
    """Return standard noise of an image, float64 (3, 256, 512)."""
    return gaussian(SHAPE, key, 1.0).numpy().astype(float)


def z_score(first: np.ndarray, second: np.ndarray) -> float:
    """Return the correlation of two standard series of known mean and spread, in its own errors."""
    return float((first * second).sum() / math.sqrt(first.size))


def assert_chance(scores: list[float]) -> None:
    """Ask of z-scores that neither the largest nor their sum of squares is out of the ordinary."""
    scores = np.asarray(scores)
    assert 2 * stats.norm.sf(np.abs(scores).max()) * scores.size > LEAST
    tail = stats.chi2.sf((scores**2).sum(), scores.size)
    assert LEAST < tail < 1 - LEAST


def reference_philox(counter: int, key: int) -> list[int]:
    """Philox4x32-10 in Python's own integers, after the paper of Salmon et al. 2011."""
    c, k = [counter & 0xFFFFFFFF, counter >> 32, 0, 0], [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def test_bits_are_the_authors_and_those_of_python_integers() -> None:
    zero = philox4x32(torch.zeros(1, dtype=torch.int64), 0)[0].tolist()
    assert zero == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    counters = [0, 1, 12345, 2**32 - 1, 2**32, 2**40 + 7]
    for key in (0, 1, 2**64 - 1, digest_words("x")[0]):
        got = philox4x32(torch.tensor(counters), key).tolist()
        assert got == [reference_philox(counter, key) for counter in counters]


def test_the_noise_of_a_pixel_does_not_depend_on_how_much_is_asked_for() -> None:
    assert torch.equal(gaussian((100,), 9, 1.0)[:37], gaussian((37,), 9, 1.0))


def test_the_table_holds_the_centres_of_equally_likely_slices() -> None:
    table = quantiles(0.04, torch.device("cpu")).numpy()
    expected = stats.norm.ppf((np.arange(65536) + 0.5) / 65536, scale=0.04)
    assert np.allclose(table, expected, rtol=1e-6, atol=1e-12) and (np.diff(table) > 0).all()
    assert np.array_equal(table, -table[::-1])
    assert table.std(dtype=float) / 0.04 == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("key", KEYS)
def test_all_16_bit_numbers_are_equally_likely(key: int) -> None:
    numbers = halves(1 << 20, key)
    assert LEAST < stats.chisquare(np.bincount(numbers, minlength=1 << 16)).pvalue < 1 - LEAST
    for place in range(8):  # of the eight numbers of a counter
        counts = np.bincount(numbers[place::8] >> 8, minlength=256)
        assert LEAST < stats.chisquare(counts).pvalue < 1 - LEAST


@pytest.mark.parametrize("key", KEYS)
def test_bits_are_even_and_know_nothing_of_each_other(key: int) -> None:
    words = philox4x32(torch.arange(1 << 16), key).numpy()
    bits = (words[:, :, None] >> np.arange(32) & 1).reshape(len(words), 128) * 2.0 - 1
    assert_chance(list(bits.sum(0) / math.sqrt(len(bits))))
    products = bits.T @ bits / math.sqrt(len(bits))
    assert_chance(list(products[np.triu_indices(128, 1)]))
    after = bits[:-1].T @ bits[1:] / math.sqrt(len(bits) - 1)  # of the next counter
    assert_chance(list(after.ravel()))


@pytest.mark.parametrize("key", KEYS)
def test_deviates_are_normal(key: int) -> None:
    sample = np.sort(field(key).ravel())
    size = sample.size
    assert stats.kstest(sample, "norm").pvalue > LEAST
    assert stats.cramervonmises(sample, "norm").pvalue > LEAST
    ranks = 2 * np.arange(1, size + 1) - 1
    logs = stats.norm.logcdf(sample) + stats.norm.logsf(sample[::-1])
    assert -size - (ranks * logs).sum() / size < 6  # Anderson-Darling; 3.86 at 1 %, 6.0 at 0.1 %
    assert abs(sample.mean()) < 4 / math.sqrt(size)
    assert abs(sample.std() - 1) < 4 / math.sqrt(2 * size)
    assert abs(stats.skew(sample)) < 4 * math.sqrt(6 / size)
    assert abs(stats.kurtosis(sample)) < 4 * math.sqrt(24 / size)
    assert np.abs(sample).max() < 4.33


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("power", [1, 2], ids=["deviates", "their squares"])
def test_neighbours_in_every_direction_are_uncorrelated(key: int, power: int) -> None:
    noise = field(key)
    if power == 2:
        noise = (noise**2 - 1) / math.sqrt(2)
    scores = [z_score(noise[..., :-lag], noise[..., lag:]) for lag in range(1, 65)]
    scores += [z_score(noise[:, :-lag], noise[:, lag:]) for lag in range(1, 33)]
    scores += [z_score(noise[a], noise[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    scores += [z_score(noise[:, :-1, :-1], noise[:, 1:, 1:])]
    scores += [z_score(noise[:, :-1, 1:], noise[:, 1:, :-1])]
    assert_chance(scores)


@pytest.mark.parametrize("key", KEYS)
def test_neighbours_are_independent_cell_by_cell(key: int) -> None:
    cells = (halves(math.prod(SHAPE), key) >> 11).reshape(SHAPE)  # 32 equally likely levels
    for first, second in (
        (cells[..., ::2], cells[..., 1::2]),
        (cells[:, ::2], cells[:, 1::2]),
        (cells[0], cells[1]),
        (cells[1], cells[2]),
    ):
        counts = np.bincount((32 * first + second).ravel(), minlength=1024)
        assert LEAST < stats.chisquare(counts).pvalue < 1 - LEAST


@pytest.mark.parametrize("key", KEYS)
def test_runs_above_and_below_zero_are_as_long_as_chance_makes_them(key: int) -> None:
    noise = field(key)
    for series in (noise.ravel(), noise.swapaxes(1, 2).ravel(), noise.transpose(1, 2, 0).ravel()):
        assert runstest_1samp(series, cutoff=0, correction=False)[1] > LEAST


@pytest.mark.parametrize("key", KEYS)
def test_the_spectrum_is_flat(key: int) -> None:
    power = np.abs(np.fft.rfft2(field(key))) ** 2 / math.prod(SHAPE[1:])
    inside = power[:, 1 : SHAPE[1] // 2, 1:-1].ravel()  # each of these frequencies once
    assert stats.kstest(inside, "expon").pvalue > LEAST
    assert inside.max() < math.log(inside.size / LEAST)


def test_seeds_scenes_and_severities_have_noise_of_their_own() -> None:
    keys = [
        digest_words(seed, scene, "low light", severity)[0]
        for seed, scene, severity in itertools.product(
            (0, 1), ("aachen_000001", "aachen_000002"), (1, 2, 3)
        )
    ]
    assert len(set(keys)) == 12
    series = [field(key).ravel() for key in keys]
    assert_chance([z_score(a, b) for a, b in itertools.combinations(series, 2)])


def test_even_keys_that_differ_in_one_bit_have_noise_of_their_own() -> None:
    series = [
        gaussian((40_000,), key, 1.0).numpy().astype(float)
        for key in [0] + [1 << b for b in range(64)]
    ]
    together = np.stack(series) @ np.stack(series).T / math.sqrt(40_000)
    assert_chance(list(together[np.triu_indices(65, 1)]))
