"""What the embedded models are measured on: StreetWorld's held-out scenes, or test photographs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from vlmis_utils.streetworld.version import world_version
from vlmis_utils.training.data import TrainingData, load_training
from vlmis_utils.training.evaluation import held_out, store
from vlmis_utils.training.photographs import digest_of, load_photographs, read_photographs
from vlmis_utils.training.weights import DATA

__all__ = ["DRAWN", "PROBED", "Source", "photographs", "streetworld"]

# Training scenes of StreetWorld that priors and probes learn from: as many as take some minutes.
DRAWN = 150
# Training photographs that priors and probes learn from: evenly spaced, for the probe's cost.
PROBED = 648


@dataclass(frozen=True)
class Source:
    """Scenes to measure on, with what their models were trained on.

    Attributes:
        name: a key of `weights.DATA`.
        version: changes with the scenes.
        scenes: their common name and how many there are.
        train: loads what priors and probes learn from.
        test: loads the held-out scenes.
        suffix: of the catalogue's names of the models trained on it.
    """

    name: str
    version: str
    scenes: str
    train: Callable[[], TrainingData]
    test: Callable[[], TrainingData]
    suffix: str = ""

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints in the package."""
        return DATA[self.name]

    @property
    def quality(self) -> Path:
        """The folder of the numbers in the package."""
        return self.checkpoints.parent / store.FOLDER.name

    @property
    def logs(self) -> Path:
        """The folder of the logs of training in the package."""
        return self.checkpoints.parent / "logs"


def streetworld() -> Source:
    """Return the held-out scenes of the synthetic world (`held_out`)."""
    return Source(
        "streetworld",
        world_version(),
        held_out.world(),
        lambda: load_training("train", DRAWN),
        lambda: held_out.held_out(),
    )


def photographs(root: str | Path | None, name: str = "cityscapes") -> Source:
    """Return the test split of a folder of photographs; priors and probes learn from `PROBED`.

    Args:
        root: folder, as of `training.photographs.load_photographs`.
        name: what it is called in the numbers.

    Raises:
        UserError: an unusable folder.
    """
    test = read_photographs(root, "test")
    return Source(
        name,
        digest_of(test),
        f"{name} test, {len(test)} frames",
        lambda: _every(load_photographs(root, "train"), PROBED),
        lambda: test,
        f"-small-{name}",
    )


def _every(data: TrainingData, count: int) -> TrainingData:
    """Return ``count`` evenly spaced scenes, or all where there are no more."""
    step = max(1, len(data) // count)
    parts = {f.name: getattr(data, f.name)[::step][:count] for f in fields(data)}
    return TrainingData(**parts)
