"""The numbers of the evaluation as CSV files beside the checkpoints, small enough to commit.

A row names the model and the digest of the checkpoint that it was measured on, so numbers of
weights that were replaced since can be told from those of the weights that are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from vlmis_utils.core.io import write_atomically
from vlmis_utils.models.checkpoints import folder_digest

__all__ = ["FOLDER", "digest", "digests", "read", "replace", "write"]

FOLDER = Path(__file__).resolve().parents[1] / "quality"
CHECKPOINTS = Path(__file__).resolve().parents[1] / "checkpoints"


def digest(name: str, checkpoints: str | Path = CHECKPOINTS) -> str:
    """Return 16 hex digits that tell a model's checkpoint from any other (`folder_digest`)."""
    return folder_digest(Path(checkpoints) / name)


def digests(checkpoints: str | Path = CHECKPOINTS) -> dict[str, str]:
    """Return the digest of each checkpoint in a folder, by model."""
    return {p.name: digest(p.name, checkpoints) for p in sorted(Path(checkpoints).iterdir())}


def read(file: str, folder: str | Path = FOLDER) -> pd.DataFrame:
    """Return a file of the evaluation; one without rows where it is not there yet.

    Text columns hold no NaN: what is empty is "".
    """
    path = Path(folder) / file
    if not path.exists():
        return pd.DataFrame({"model": [], "digest": [], "world": [], "run": []}, dtype=object)
    names = ("model", "digest", "world", "run", "class", "scene_id", "about", "setting")
    text = dict.fromkeys(names, str)
    frame = pd.read_csv(path, dtype=text)
    words = frame.columns.intersection(list(text))
    return frame.assign(**{column: frame[column].fillna("") for column in words})


def write(
    file: str, rows: Iterable[Mapping[str, object]] | pd.DataFrame, folder: str | Path = FOLDER
) -> None:
    """Write rows as CSV, numbers with four decimals, the file replaced atomically."""
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    text = frame.to_csv(index=False, float_format="%.4f", lineterminator="\n")
    write_atomically(Path(folder) / file, text.encode())


def replace(
    file: str,
    model: str,
    rows: Iterable[Mapping[str, object]],
    order: Iterable[str],
    folder: str | Path = FOLDER,
) -> None:
    """Put a model's rows in the place of those that the file has of it.

    Args:
        file: its name.
        model: whose rows are replaced.
        rows: the new ones.
        order: of the models in the file.
    """
    old, frame = read(file, folder), pd.DataFrame(list(rows))
    others = old[old.model != model]
    if len(others):
        frame = pd.concat([others, frame], ignore_index=True)
    places = {name: index for index, name in enumerate(order)}
    frame = frame.sort_values("model", kind="stable", key=lambda names: names.map(places))
    write(file, frame, folder)
