"""The study of sequences that runs along with a study of pictures, for the pages about time."""

from __future__ import annotations

from dataclasses import replace

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.protocol.study import READING, Study

__all__ = ["of_sequences", "studies_of"]

# What it takes over: where and how it runs, and how answers are read.
_SHARED = (
    *READING, "corruption_backend", "noise_sigma", "batch_size", "engine", "workers", "device",
    "build_root", "records_root", "models", "max_requests", "max_cost",
)  # fmt: skip


def studies_of(study: Study) -> tuple[Study, ...]:
    """Return a study and the study of sequences that its key ``sequences`` names, if it names one.

    That one is called ``<study>-sequences`` and shares with the first where and how it runs, and
    how answers are read.

    Raises:
        UserError: the file cannot be read, or is of single pictures.
    """
    if study.sequences is None or study.frames:
        return (study,)
    other = load_study(study.sequences)
    if not other.frames:
        raise UserError(
            f"sequences: {study.sequences} is a study of single images: set its key frames, or "
            "sequences to null"
        )
    shared = {key: getattr(study, key) for key in _SHARED}
    return study, replace(other, study=f"{study.study}-sequences", sequences=None, **shared)


def of_sequences(study: Study) -> Study | None:
    """Return the study that pages about time read: the study itself, its companion, or none.

    >>> of_sequences(Study(frames=4)).frames
    4
    """
    last = studies_of(study)[-1]
    return last if last.frames else None
