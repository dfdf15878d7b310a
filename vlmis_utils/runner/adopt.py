"""A study whose photographs are not at hand goes on with the records that the repository keeps."""

from __future__ import annotations

from pathlib import Path

from vlmis_utils.core.io import write_atomically
from vlmis_utils.core.progress import say
from vlmis_utils.datasets.registry import told_where
from vlmis_utils.protocol.parameters import write_study
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.kept import KEPT, check_kept, is_kept

__all__ = ["adopt"]


def adopt(study: Study, root: str | Path = KEPT) -> bool:
    """Put the kept tables of a study where its own would lie, if its photographs are not at hand.

    The pages then read them as they would read a run's; no model runs.

    Args:
        study: what is asked for.
        root: where records are kept.

    Returns:
        whether it did; False for a study that is told where its photographs lie, needs none, or of
        which nothing is kept.

    Raises:
        UserError: what is kept is not what the study asks for.
    """
    if told_where(study) or not is_kept(study, root):
        return False
    source = check_kept(study, root)
    for path in sorted(source.iterdir()):
        write_atomically(study.records / path.name, path.read_bytes())
    write_study(study)
    say(f"no photographs at hand (data_root): the records are those of {source}, no model runs")
    return True
