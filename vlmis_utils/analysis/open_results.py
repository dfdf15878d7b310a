"""The results of a run, read as the run's parameters say unless told otherwise."""

from __future__ import annotations

from vlmis_utils.analysis.results import Results
from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.core.storage import Place, place
from vlmis_utils.protocol.parameters import recorded_parameters
from vlmis_utils.protocol.study import KEYS, READING, Study

__all__ = ["open_results", "open_study", "prepare"]

_PREPARED: dict[tuple, Results] = {}


def open_results(records: str | Place, **reading: object) -> Results:
    """Open the results of a run.

    How answers are read and averaged (`protocol.study.READING`: top_k, parser, count_hedged,
    critical_classes, min_share, epsilon, bootstrap) comes from ``study.yaml``, which a run leaves
    beside its records; where that file is missing, from the defaults of `protocol.study.Study`.

    Args:
        records: the folder ``build/<study>/records``, or its URL.
        reading: values that replace those of the run; changing one never runs a model.

    Raises:
        UserError: a keyword that is no such parameter, with the closest; a ``study.yaml`` that
            cannot be read.
        RunError: the records are missing or damaged; raised when they are first read.
    """
    for key in reading:
        if key not in READING:
            raise UserError(f"open_results: unknown keyword {key!r}{closest(key, READING)}")
    read = recorded_parameters(records, READING) | reading
    return _PREPARED.get(_key(records, read)) or Results(records, **read)


def prepare(records: str | Place) -> None:
    """Open the results of a run and compute the frames that most pages begin with.

    `open_results` of the same records, read in the same way, then gives them without computing
    them again: in this process and in those that are forked from it.

    Raises:
        As `open_results`, and whatever a study without some model or condition leads to.
    """
    read = recorded_parameters(records, READING)
    results = Results(records, **read)
    _PREPARED[_key(records, read)] = results
    for compute in (Results.segmentation_by_condition, Results.segmentation_per_image,
                    Results.vlm_by_condition):  # fmt: skip
        compute(results)


def _key(records: str | Place, read: dict[str, object]) -> tuple:
    return str(place(records)), *(read[key] for key in READING)


def open_study(records: str | Place) -> Study:
    """Return the parameters of the run that left these records, such as its dataset and its seed.

    Args:
        records: the folder ``build/<study>/records``, or its URL; ``study.yaml`` lies beside it.

    Raises:
        UserError: a ``study.yaml`` that cannot be read.
    """
    return Study(**recorded_parameters(records, KEYS))
