"""Errors under a corruption as multiples: of the model's clean error, and of the best constant's.

A difference hides where a model began. The mean corruption error of Hendrycks and Dietterich (ICLR
2019) divides by a reference instead: here the same model on clean pictures, and an answer that
never looks. Above 1 of the latter, looking has become worse than not looking.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from vlmis_utils.analysis.results import Results
from vlmis_utils.protocol.conditions import FAMILIES

__all__ = ["relative_scores"]


def relative_scores(results: Results) -> pd.DataFrame:
    """Return the error of each model and corruption over its references.

    Errors are summed over the severities of a corruption before they are divided. The constants:
    for 1 - mIoU one class everywhere, the best one; for HR and COR the best constant caption of
    `metrics.baselines`; for SMR the better of always "safe" and always "unsafe".

    Returns:
        model, measure (1 - mIoU, HR, COR, SMR), family, to_clean, to_constant; NaN where a
        reference makes no error.
    """
    quality = results.segmentation_by_condition().rename(columns={"segmenter": "model"})
    parts = [quality.assign(measure="1 - mIoU", error=1 - quality.miou)]
    language = results.vlm_by_condition().rename(columns={"vlm": "model"})
    parts += [language.assign(measure=m.upper(), error=language[m]) for m in ("hr", "cor", "smr")]
    rows = pd.concat([p[["model", "condition", "measure", "error"]] for p in parts])
    constants = _constants(results)
    found = []
    for (measure, model), group in rows.groupby(["measure", "model"], sort=False):
        errors = group.set_index("condition").error
        for family in FAMILIES:
            degraded = errors[[c for c in errors.index if c.rstrip("123") == family]]
            if len(degraded):
                found.append(
                    {"model": model, "measure": measure, "family": family,
                     "to_clean": _ratio(degraded.mean(), errors["clean"]),
                     "to_constant": _ratio(degraded.mean(), constants[measure])}
                )  # fmt: skip
    columns = ["model", "measure", "family", "to_clean", "to_constant"]
    return pd.DataFrame(found, columns=columns)


def _constants(results: Results) -> dict[str, float]:
    known = results.baselines().set_index("baseline")
    counts = np.stack(list(results.scenes.pixel_counts)).sum(axis=0)
    miou = counts.max() / counts.sum() / (counts > 0).sum()
    return {
        "1 - mIoU": float(1 - miou),
        "HR": float(known.hr["best constant caption"]),
        "COR": float(known.cor["best constant caption"]),
        "SMR": float(known.smr[["always safe", "always unsafe"]].min()),
    }


def _ratio(error: float, reference: float) -> float:
    return float(error / reference) if reference > 0 else float("nan")
