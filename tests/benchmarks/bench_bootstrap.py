"""Intervals of a whole run, 500 scenes x 10 conditions x 6 models: ours against two plain ways.

Ours: all four rates and mIoU of every model and condition with 2,000 resamples. The first peer is a
loop over resamples that indexes the scenes and calls the metric; the second `scipy.stats.bootstrap`
with 2,000 resamples for each column of rates, and on indices of scenes for mIoU. The peers run with
few resamples and their time is multiplied, as it grows in proportion to them. The loop draws the
same scenes as ours, and its samples must be equal. Times are processor time, all cores together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from paired import Row, paired, publish
from scipy import stats

from vlmis_utils.metrics.miou_intervals import bootstrap_miou, resampled_miou
from vlmis_utils.metrics.segmentation import miou
from vlmis_utils.statistics import bootstrap_interval, scene_weights

SCENES, CONDITIONS, MODELS, RATES, CLASSES = 500, 10, 6, 4, 19
RESAMPLES, LOOP, PEER, ROUNDS = 2000, 10, 20, 3


def made_up() -> tuple[np.ndarray, np.ndarray]:
    """Return rates (models, N, conditions, 4) and confusions (models, N, conditions, 19, 19)."""
    rng = np.random.default_rng(0)
    rates = rng.random((MODELS, SCENES, CONDITIONS, RATES))
    counts = rng.poisson(20, (MODELS, SCENES, CONDITIONS, CLASSES, CLASSES))
    counts[..., np.arange(CLASSES), np.arange(CLASSES)] += 400
    return rates, counts


def ours(rates: np.ndarray, counts: np.ndarray) -> None:
    wide = rates.transpose(1, 0, 2, 3).reshape(SCENES, -1)
    bootstrap_interval(wide, resamples=RESAMPLES)
    for model in counts:
        bootstrap_miou(model, resamples=RESAMPLES)


def loop(rates: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the mIoU samples (LOOP, models, conditions) of a loop over resamples."""
    samples = np.empty((LOOP, MODELS, CONDITIONS))
    for row, weights in enumerate(scene_weights(SCENES, RESAMPLES)[:LOOP].astype(int)):
        drawn = np.repeat(np.arange(SCENES), weights)
        for model in range(MODELS):
            rates[model][drawn].mean(axis=0)
            for condition in range(CONDITIONS):
                samples[row, model, condition] = miou(counts[model, drawn, condition].sum(axis=0))
    return samples


def scipys(rates: np.ndarray, counts: np.ndarray) -> None:
    """Bootstrap every column with scipy, with PEER resamples."""
    options = {"n_resamples": PEER, "method": "percentile", "rng": np.random.default_rng(0)}
    stats.bootstrap((rates,), np.mean, axis=1, **options)
    for model in range(MODELS):
        for condition in range(CONDITIONS):
            stack = counts[model, :, condition]

            def statistic(drawn: np.ndarray, stack: np.ndarray = stack) -> float:
                return miou(stack[drawn].sum(axis=0))

            stats.bootstrap((np.arange(SCENES),), statistic, vectorized=False, **options)


def compared(peer: str, run: Callable[..., object], drawn: int, given: tuple) -> Row:
    """Return the comparison with a peer that ran ``drawn`` resamples, as if it had run them all."""
    inputs = f"{SCENES} scenes, {RESAMPLES} resamples"
    row = paired("all intervals of a run", inputs, peer, lambda: ours(*given), lambda: run(*given),
                 rounds=ROUNDS, clock=time.process_time)  # fmt: skip
    times = RESAMPLES / drawn
    scaled = {name: getattr(row, name) * times for name in ("peer_ms", "ratio", "low", "high")}
    return replace(row, **scaled)


def main() -> None:
    rates, counts = given = made_up()
    samples, weights = loop(rates, counts), scene_weights(SCENES, RESAMPLES)[:LOOP]
    exact = np.stack([resampled_miou(model, weights) for model in counts], axis=1)
    assert np.allclose(samples, exact, rtol=1e-13), "the loop and ours differ"
    ways = (
        (f"loop over resamples, from {LOOP}", loop, LOOP),
        (f"scipy.stats.bootstrap, from {PEER}", scipys, PEER),
    )
    publish("bootstrap", [compared(peer, run, drawn, given) for peer, run, drawn in ways])


if __name__ == "__main__":
    main()
