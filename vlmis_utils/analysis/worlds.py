"""The worlds of the book side by side: the run itself, and photographs of which records are kept.

A page that compares worlds opens them here. The run's own records stand for its data set; for the
other photographs those of `records.kept` do, read by the same parameters as the run. What takes
long to compute from records is kept beside them as `SUMMARIES`, and computed anew where answers
are read in another way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from vlmis_utils.analysis import changes
from vlmis_utils.analysis.claims import claim_cells
from vlmis_utils.analysis.claims.sources import Run
from vlmis_utils.analysis.correlation import correlations
from vlmis_utils.analysis.open_results import open_results
from vlmis_utils.analysis.results import Results
from vlmis_utils.analysis.warnings.evaluation import model_aucs
from vlmis_utils.analysis.warnings.single import signal_aucs
from vlmis_utils.core.io import write_atomically
from vlmis_utils.core.storage import Place
from vlmis_utils.protocol.datasets import DATASET_NAMES
from vlmis_utils.protocol.models import architecture, load_catalogue
from vlmis_utils.protocol.parameters import STUDY_FILE, recorded_parameters
from vlmis_utils.protocol.study import READING, Study
from vlmis_utils.records.kept import KEPT

__all__ = ["STUDIES", "SUMMARIES", "World", "by_architecture", "keep_summaries", "open_night",
           "open_worlds"]  # fmt: skip

# Data set -> the study of it that is kept.
STUDIES: dict[str, str] = {"cityscapes": "cityscapes-small", "camvid": "camvid"}


def _claims(results: Results) -> pd.DataFrame:
    """Return the cells of the paper's claims; labels are those of the catalogue."""
    labels = {name: entry.label for name, entry in load_catalogue(Study().models).items()}
    return claim_cells(Run(results, labels))


# Name -> what is computed of a run's results.
SUMMARIES: dict[str, Callable[[Results], pd.DataFrame]] = {
    "quality": Results.segmentation_by_condition,
    "language": Results.vlm_by_condition,
    "quality_changes": changes.quality_changes,
    "misalignment_changes": changes.misalignment_changes,
    "above_constant": changes.above_constant,
    "correlations": correlations,
    "claims": _claims,
    "signals": signal_aucs,
    "signals_together": model_aucs,
}

# A summary's intervals come from as many resamples as there were when it was kept.
_READ = tuple(key for key in READING if key != "bootstrap")


@dataclass(frozen=True, eq=False)
class World:
    """One data set and what models made of it.

    Attributes:
        name: as readers know it, such as Cityscapes.
        results: of the run, or of the records that are kept.
        kept: whether the records are those in the repository.
        summaries: folder of the summaries that were kept with them; None where there are none, or
            none that read answers as this run does.
    """

    name: str
    results: Results
    kept: bool = False
    summaries: Path | None = None
    _known: dict[str, pd.DataFrame] = field(default_factory=dict)

    def summary(self, name: str) -> pd.DataFrame:
        """Return one of `SUMMARIES`, its models by architecture; kept, or computed once.

        Raises:
            KeyError: no such summary.
        """
        if name not in self._known:
            path = None if self.summaries is None else self.summaries / f"{name}.parquet"
            found = path is not None and path.exists()
            frame = pd.read_parquet(path) if found else SUMMARIES[name](self.results)
            self._known[name] = by_architecture(frame)
        return self._known[name].copy()

    def pairs(self) -> pd.DataFrame:
        """Return segmentation quality beside misalignment, as `Results.pairs` does."""
        quality = self.summary("quality")
        columns = [c for c in quality if not c.startswith("iou_") and c != "n"]
        return quality[columns].merge(self.summary("language"), on="condition")


def open_worlds(
    records: str | Place, root: str | Path = KEPT, **reading: object
) -> dict[str, World]:
    """Open a run, and what is kept of other data sets.

    Args:
        records: the folder ``build/<study>/records`` of the run, or its URL.
        root: where records are kept.
        reading: how answers are read, in place of the run's parameters (`protocol.study.READING`).

    Returns:
        name -> `World`, StreetWorld first, then Cityscapes and CamVid; those that there are.
    """
    read = recorded_parameters(records, READING) | reading
    own = open_results(records, **reading)
    here = own.scenes.dataset.iloc[0]
    found = {}
    for dataset, name in DATASET_NAMES.items():
        folder = Path(root) / STUDIES.get(dataset, dataset)
        if dataset == here:
            found[name] = World(name, own)
        elif (folder / STUDY_FILE).exists():
            was = recorded_parameters(folder / "records", READING)
            same = all(was[key] == read[key] for key in _READ)
            results = Results(folder / "records", **read)
            found[name] = World(name, results, True, folder / "summaries" if same else None)
    return found


def open_night(records: str | Place, root: str | Path = KEPT, **reading: object) -> list[Results]:
    """Return what is kept of CamVid's other dusk frames, read as the run is; arguments as above."""
    folder = Path(root) / "camvid-dusk"
    if not (folder / STUDY_FILE).exists():
        return []
    return [Results(folder / "records", **recorded_parameters(records, READING) | reading)]


def keep_summaries(folder: str | Path) -> None:
    """Compute `SUMMARIES` of the records in ``<folder>/records`` and write them beside them.

    Args:
        folder: of `records.kept.keep`.
    """
    records = Path(folder) / "records"
    results = Results(records, **recorded_parameters(records, READING))
    for name, compute in SUMMARIES.items():
        data = compute(results).to_parquet(index=False, compression="zstd")
        write_atomically(Path(folder) / "summaries" / f"{name}.parquet", data)


def by_architecture(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose models go by the architecture, without what they were trained on.

    So that a model of one world stands beside its namesake of another, in the same colour, and
    beside what the paper printed.

    >>> by_architecture(pd.DataFrame({"vlm": ["clip-small-cityscapes", "clip"]})).vlm.tolist()
    ['clip', 'clip']
    """
    columns = [column for column in ("segmenter", "vlm", "model") if column in frame]
    return frame.assign(**{c: frame[c].map(architecture) for c in columns})
