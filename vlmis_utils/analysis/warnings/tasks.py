"""What is to be predicted: a failure of a VLM, on the pictures where it can happen."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from vlmis_utils.analysis.warnings.signals import TARGETS, Warnings

__all__ = ["LEAST", "Task", "tasks"]

LEAST = 5  # scenes in which a failure happens, and in which it does not


@dataclass(frozen=True)
class Task:
    """Pictures of which a failure of a VLM is to be predicted; arrays are (m,) of those.

    Attributes:
        vlm, target: what fails, and how.
        at: places among the M pictures of `Warnings`.
        outcome: 1 or 0.
        scene, fold: of each; family: its corruption, empty for clean.
    """

    vlm: str
    target: str
    at: np.ndarray
    outcome: np.ndarray
    scene: np.ndarray
    fold: np.ndarray
    family: np.ndarray

    @property
    def scenes(self) -> int:
        """How many scenes the pictures are of."""
        return len(np.unique(self.scene))

    @property
    def about(self) -> dict[str, object]:
        """vlm, target, n (the pictures), reason, and rate, the share that fails: for tables."""
        return {
            "vlm": self.vlm, "target": self.target, "n": len(self.at), "reason": self.reason,
            "rate": float(self.outcome.mean()) if len(self.at) else np.nan,
        }  # fmt: skip

    @property
    def reason(self) -> str:
        """Why nothing can be predicted; else empty.

        Where only two scenes fail, many resamples hold neither, and those that are left agree: an
        interval from them would be far too sure of itself.
        """
        if self.scenes < 3:
            return "fewer than three scenes"
        if not 0 < self.outcome.mean() < 1:
            return "it always or never happens"
        for kind, words in ((1, "happens"), (0, "fails to happen")):
            if len(np.unique(self.scene[self.outcome == kind])) < LEAST:
                return f"it {words} in fewer than {LEAST} scenes"
        return ""


def tasks(warnings: Warnings) -> list[Task]:
    """Return a task for each VLM and each of `TARGETS`."""
    found = []
    family = warnings.pictures.family.to_numpy(str)
    for vlm, target in itertools.product(warnings.vlms, TARGETS):
        outcome = warnings.targets[vlm][target].to_numpy(float)
        at = np.flatnonzero(np.isfinite(outcome))
        parts = (outcome, warnings.scene, warnings.fold, family)
        found.append(Task(vlm, target, at, *(part[at] for part in parts)))
    return found
