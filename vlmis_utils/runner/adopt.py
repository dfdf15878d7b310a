"""A study whose photographs are not at hand goes on with the records that the repository keeps."""

from __future__ import annotations

from pathlib import Path

from vlmis_utils.core.errors import UserError
from vlmis_utils.core.io import write_atomically
from vlmis_utils.core.progress import say
from vlmis_utils.datasets.registry import folder_told
from vlmis_utils.protocol.parameters import write_study
from vlmis_utils.protocol.study import READING, Study, flat
from vlmis_utils.records.kept import KEPT, check_kept, is_kept
from vlmis_utils.records.run_info import merge_run

__all__ = ["adopt", "kept_records", "kept_words"]


def kept_records(study: Study, root: str | Path = KEPT) -> Path | None:
    """Return the folder of the kept tables that stand in for a study's photographs.

    Args:
        study: what is asked for.
        root: where records are kept.

    Returns:
        None for a study that is told where its photographs lie, needs none, or of which nothing is
        kept.

    Raises:
        UserError: what is kept is not what the study asks for, or the photographs are not where the
            study says.
    """
    if study.dataset == "streetworld" or not is_kept(study, root):
        return None
    told = folder_told(study)
    if told is None:
        return check_kept(study, root)
    if not Path(told).expanduser().is_dir():
        raise UserError(
            f"no folder {told}: set data_root to that of {study.dataset}, or leave it out (and its "
            f"environment variable) to go on with the records of {Path(root) / study.study}"
        )
    return None


def kept_words(source: Path) -> str:
    """Return in a line that kept tables are read in place of photographs."""
    return f"no photographs at hand (data_root): the records are those of {source}, no model runs"


def adopt(study: Study, root: str | Path = KEPT) -> bool:
    """Put the kept tables of a study where its own would lie, if its photographs are not at hand.

    The pages then read them as they would read a run's; no model runs.

    Args:
        study, root: as of `kept_records`.

    Returns:
        whether it did.

    Raises:
        UserError: as `kept_records`.
    """
    source = kept_records(study, root)
    if source is None:
        return False
    for path in sorted(source.iterdir()):
        write_atomically(study.records / path.name, path.read_bytes())
    read = {key: value for key, value in flat(study).items() if key in READING}
    merge_run(study.records, {"parameters": read})
    write_study(study)
    say(kept_words(source))
    return True
