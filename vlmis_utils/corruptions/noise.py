"""Gaussian noise that is a pure function of (key, pixel, channel): the same bits on every machine.

A counter-based generator (Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as
easy as 1, 2, 3", SC 2011) turns the position of a value into 16 random bits, and a table of 65,536
normal quantiles turns the bits into a deviate. Everything before the table is integer arithmetic,
so a CPU and a GPU agree bit for bit, and a pixel's noise does not depend on the batch around it.
"""

from __future__ import annotations

import hashlib
import unicodedata
from functools import lru_cache

import torch

__all__ = ["digest_words", "gaussian", "philox4x32", "quantiles", "scene_words"]

_MASK = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_LEVELS = 1 << 16


def digest_words(*parts: object) -> tuple[int, int, int, int]:
    """Return four unsigned 64-bit words of the SHA-256 digest of ``parts``.

    Parts are separated so that ``("a", "bc")`` and ``("ab", "c")`` differ.

    >>> digest_words("a", "bc") == digest_words("ab", "c")
    False
    """
    text = "".join(f"{len(str(part))}:{part};" for part in parts)
    digest = hashlib.sha256(text.encode()).digest()
    return tuple(int.from_bytes(digest[i : i + 8], "big") for i in range(0, 32, 8))


def scene_words(seed: int, scene_id: str, *parts: object) -> tuple[int, int, int, int]:
    """Return `digest_words` of a study's seed, a scene's name and ``parts``.

    A name that one system writes with composed letters and another with combining marks (Unicode
    NFC and NFD) is the same name.

    >>> scene_words(0, "Zu\u0308rich", "LL") == scene_words(0, "Z\u00fcrich", "LL")
    True
    """
    return digest_words(seed, unicodedata.normalize("NFC", scene_id), *parts)


def philox4x32(counters: torch.Tensor, key: int) -> torch.Tensor:
    """Return 128 random bits for each counter.

    Args:
        counters: int64 (N,), non-negative; the low two of the generator's four counter words,
            the high two are zero.
        key: unsigned 64-bit integer.

    Returns:
        int64 (N, 4), each an unsigned 32-bit word; on the counters' device.

    The first words for counter 0 and key 0, as the authors' known-answer file has them:

    >>> [f"{word:08x}" for word in philox4x32(torch.zeros(1, dtype=torch.int64), 0)[0].tolist()]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    low, high = counters & _MASK, (counters >> 32) & _MASK
    words = (low, high, torch.zeros_like(low), torch.zeros_like(low))
    return torch.stack(_rounds(words, (key & _MASK, (key >> 32) & _MASK)), dim=-1)


def _rounds(words: tuple[torch.Tensor, ...], key: tuple[int, int]) -> tuple[torch.Tensor, ...]:
    """Mix four 32-bit counter words (held in int64) with two 32-bit key words."""
    c0, c1, c2, c3 = words
    k0, k1 = key
    for _ in range(_ROUNDS):
        first, second = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0 = ((second >> 32) & _MASK).bitwise_xor_(c1).bitwise_xor_(k0)
        c2 = ((first >> 32) & _MASK).bitwise_xor_(c3).bitwise_xor_(k1)
        c1, c3 = second.bitwise_and_(_MASK), first.bitwise_and_(_MASK)
        k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return c0, c1, c2, c3


@lru_cache(maxsize=16)
def quantiles(sigma: float, device: torch.device) -> torch.Tensor:
    """Return float32 (65536,): the centres of equally likely slices of N(0, sigma^2).

    >>> table = quantiles(1.0, torch.device("cpu"))
    >>> [round(table[level].item(), 2) for level in (0, 32767, 32768, 65535)]
    [-4.32, -0.0, 0.0, 4.32]
    """
    levels = (torch.arange(_LEVELS, dtype=torch.float64) + 0.5) / _LEVELS
    return (torch.special.ndtri(levels) * sigma).to(torch.float32).to(device)


def gaussian(
    shape: tuple[int, ...], key: int, sigma: float, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Return zero-mean Gaussian noise.

    Each eight neighbouring values, in row-major order, come from one counter. Deviates are drawn
    from 65,536 quantiles, so none exceeds 4.33 sigma; the standard deviation is within 0.01 % of
    sigma.

    Args:
        shape: shape of the result, say (3, H, W).
        key: unsigned 64-bit integer; see `digest_words`.
        sigma: standard deviation, in the units wanted.
        device: where to compute; the values do not depend on it.

    Returns:
        float32 tensor of ``shape`` on ``device``.

    >>> whole, again = gaussian((3, 4, 4), 7, 1.0), gaussian((3, 4, 4), 7, 1.0)
    >>> torch.equal(whole, again)
    True
    """
    device = torch.device(device)
    size = torch.Size(shape).numel()
    counters = torch.arange((size + 7) // 8, dtype=torch.int64, device=device)
    words = philox4x32(counters, key)
    halves = torch.stack((words & 0xFFFF, words >> 16), dim=-1).reshape(-1)[:size]
    return quantiles(float(sigma), device)[halves].reshape(shape)
