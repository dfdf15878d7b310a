"""What a vision-language model must beat: answers that never look, and its own tower's probe."""

from __future__ import annotations

import numpy as np

from vlmis_utils.metrics.baselines import best_caption
from vlmis_utils.metrics.per_image import Reading
from vlmis_utils.protocol.classes import OBJECT_CLASSES, PRESENCE_CLASSES
from vlmis_utils.training.evaluation import intervals, language
from vlmis_utils.training.evaluation.language import Said, Truth

__all__ = ["HEADLINES", "baseline_rows", "ceiling", "constant", "prior"]

# What is compared with baselines, for models that compare sentences and for those that write.
HEADLINES: dict[str, tuple[str, ...]] = {
    "open_clip": ("presence AUC", "mention F1", "safety AUC"),
    "transformers-vlm": (
        "presence balanced accuracy", "mention F1", "safety balanced accuracy",
    ),
}  # fmt: skip


def _same(mentioned: frozenset[str], presence: np.ndarray, safe: float, scenes: int) -> Said:
    one = Said(
        [mentioned], (presence > 0.5).astype(float)[None], presence[None],
        np.array([float(safe > 0.5)]), np.array([safe]),
    )  # fmt: skip
    return one.repeated(scenes)


def constant(truth: Truth) -> Said:
    """Return the best constant caption of these very scenes (`controls.best_caption`), and yes."""
    caption = best_caption(truth.present, OBJECT_CLASSES)
    return _same(caption, np.ones(len(PRESENCE_CLASSES)), 1.0, len(truth.present))


def prior(known: Truth, scenes: int) -> Said:
    """Return how often each thing is so among other scenes, said of ``scenes`` alike.

    Mentioned are the K most frequent classes.

    Args:
        known: truth of training scenes.
        scenes: how many to say it of.
    """
    share = np.array([[c in p for c in OBJECT_CLASSES] for p in known.present]).mean(axis=0)
    frequent = np.argsort(-share, kind="stable")[: Reading().top_k]
    named = frozenset(OBJECT_CLASSES[i] for i in frequent)
    return _same(named, known.shown.mean(axis=0), float(known.safe.mean()), scenes)


def ceiling(truth: Truth) -> float:
    """Return the mean F1 of mentioning K classes of which as many as can be are there.

    A model that must mention K is wrong where fewer are there, and silent where more are.
    """
    k = Reading().top_k
    sizes = np.array([len(p) for p in truth.present])
    return float((2 * np.minimum(k, sizes) / (k + sizes)).mean())


def baseline_rows(
    library: str, truth: Truth, said: Said, others: dict[str, Said], weights: np.ndarray
) -> list[dict[str, object]]:
    """Return what each baseline scores, and by how much the model is above it, scene by scene.

    Args:
        library: of the model; chooses from `HEADLINES`.
        truth: of the scenes.
        said: by the model.
        others: by baselines.
        weights: (R, N), of `intervals.resampled`.

    Returns:
        baseline, measure, value, low, high, difference, difference_low, difference_high.
    """
    scenes = len(truth.present)
    mine = _means(truth, said, weights)
    rows = []
    for name, other in others.items():
        theirs = _means(truth, other, weights)
        for measure in HEADLINES[library]:
            own = language.interval(measure, theirs[measure], scenes)
            gain = intervals.from_ratio(mine[measure] - theirs[measure], scenes)
            rows.append(
                {
                    "baseline": name, "measure": measure, "value": own.value, "low": own.low,
                    "high": own.high, "difference": gain.value, "difference_low": gain.low,
                    "difference_high": gain.high,
                }
            )  # fmt: skip
    return rows


def _means(truth: Truth, said: Said, weights: np.ndarray) -> dict[str, np.ndarray]:
    drawn = language.draws(truth, said, weights)
    return {name: intervals.mean_draws(each) for name, each in drawn.items()}
