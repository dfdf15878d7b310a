"""Correction of p values for a family of tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["holm"]


def holm(p: Sequence[float], alpha: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Correct p values for multiple tests by Holm's step-down, through `pingouin.multicomp`.

    With p sorted upwards, the i-th of m becomes the largest of (m - j + 1) p_j over j <= i, at most
    1. The chance that any true hypothesis of the family is rejected is then at most alpha, however
    the tests depend on each other (Holm, Scandinavian Journal of Statistics 6, 1979).

    Args:
        p: p values in [0, 1]; NaN entries are no tests and stay NaN.
        alpha: family-wise error rate.

    Returns:
        (adjusted, reject): float64 and bool arrays of p's length.

    >>> adjusted, reject = holm([0.01, 0.04, 0.03])
    >>> adjusted.round(3).tolist(), reject.tolist()
    ([0.03, 0.06, 0.06], [True, False, False])
    """
    values = np.asarray(p, dtype=np.float64).ravel()
    adjusted, reject = np.full(values.shape, np.nan), np.zeros(values.shape, dtype=bool)
    known = np.isfinite(values)
    if known.any():
        import pingouin

        reject[known], adjusted[known] = pingouin.multicomp(
            values[known], alpha=alpha, method="holm"
        )
    return adjusted, reject
