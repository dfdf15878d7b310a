"""A class map: what the values of a dataset's label maps mean, and where its files lie.

A file of `params/class_maps/`, for datasets that `datasets.folder` reads::

    images: images         # these four only where they differ from what stands here
    labels: labels
    image_suffix: ""       # what follows the name that both files share
    label_suffix: ""
    classes:
      0: road              # one of the 19 classes, or ignore
      255: ignore
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, ConfigDict, ValidationError
from pydantic.dataclasses import dataclass

from vlmis_utils.core.errors import UserError, closest, shown
from vlmis_utils.core.strict_yaml import read_yaml
from vlmis_utils.core.validation import Text, must, problems
from vlmis_utils.protocol.classes import IGNORE, LANGUAGE_NAMES, TRAIN_CLASSES

__all__ = ["UNKNOWN", "ClassMap", "label_table", "load_class_map"]

# Marks a value that a label table does not know.
UNKNOWN = -1
_IGNORE = "ignore"
_LARGEST = 65535


def label_table(train_ids: Mapping[int, int]) -> np.ndarray:
    """Return a lookup table from a dataset's own ids to train ids.

    Args:
        train_ids: own id, 0 or more -> train id (or 255); every id that may occur. 255 itself
            means 255 unless said otherwise.

    Returns:
        int16 (256,) or longer, `UNKNOWN` where the dataset defines nothing.
    """
    table = np.full(max(IGNORE, *train_ids) + 1, UNKNOWN, dtype=np.int16)
    for own, train in {IGNORE: IGNORE, **train_ids}.items():
        table[own] = train
    return table


def _meanings(classes: Any) -> Any:
    """Check values and class names, all of them at once."""
    if not isinstance(classes, dict) or not classes:
        raise ValueError("needs 'classes:' with lines such as '0: road' below it")
    known = (*TRAIN_CLASSES, _IGNORE)
    wrong = []
    for value, name in classes.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
            wrong.append(f"{shown(value)} is no value of a label map (0 to {_LARGEST})")
        elif not isinstance(name, str):
            wrong.append(f"unknown class {shown(name)} for the value {value}: write a word")
        elif name not in known:
            said = next((t for t, spoken in LANGUAGE_NAMES.items() if spoken == name), None)
            hint = f" (label maps call it {said!r})" if said else closest(name, known)
            wrong.append(f"unknown class {name!r} for the value {value}{hint}")
    if not wrong and set(classes.values()) == {_IGNORE}:
        wrong.append("ignores every value: name at least one class")
    if wrong:
        raise ValueError("; ".join(wrong))
    return classes


def _inside(folder: str) -> bool:
    """Whether a folder's name stays within the folder that it is joined to."""
    path = Path(folder)
    return folder.isprintable() and not path.is_absolute() and ".." not in path.parts


_Folder = Annotated[Text, must(_inside, "a folder inside the dataset's")]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ClassMap:
    """What the values of a dataset's label maps mean, and where its files lie.

    Attributes:
        classes: value, 0 to 65535 -> train class or "ignore". 255 is ignored where it is not named.
        images, labels: folders inside the root, searched with their subfolders.
        image_suffix, label_suffix: what follows, in a file's name, the name that both share.
    """

    classes: Annotated[dict[int, str], BeforeValidator(_meanings)]
    images: _Folder = "images"
    labels: _Folder = "labels"
    image_suffix: Text = ""
    label_suffix: Text = ""

    @property
    def annotated(self) -> frozenset[str]:
        """The language classes that the label maps can show.

        >>> sorted(ClassMap({0: "road", 7: "person", 9: "ignore"}).annotated)
        ['pedestrian', 'road']
        """
        return frozenset(LANGUAGE_NAMES[name] for name in self.classes.values() if name != _IGNORE)

    def table(self) -> np.ndarray:
        """The lookup table of `label_table`, int16."""
        return label_table(
            {
                value: IGNORE if name == _IGNORE else TRAIN_CLASSES.index(name)
                for value, name in self.classes.items()
            }
        )


def load_class_map(path: str | Path) -> ClassMap:
    """Read and check a class map.

    Raises:
        UserError: no such file, no YAML, an unknown key, a value that is no whole number, an
            unknown class. The message names the file and every mistake with its remedy.

    >>> load_class_map("params/class_maps/bdd100k.yaml").classes[13]
    'car'
    """
    path = Path(path)
    try:
        given = read_yaml(path)
    except FileNotFoundError:
        known = sorted(str(p) for p in Path("params/class_maps").glob("*.yaml"))
        raise UserError(f"no class map {path}{closest(path, known)}") from None
    given = {str(k): v for k, v in given.items()} if isinstance(given, dict) else {}
    given.setdefault("classes", None)
    try:
        return ClassMap(**given)
    except ValidationError as error:
        keys = [field.name for field in dataclasses.fields(ClassMap)]
        found = problems(error, given, keys)
        raise UserError(f"{path}: {'; '.join(one.text for one in found)}") from None
