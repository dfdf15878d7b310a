"""A checkpoint's labels and the 19 train classes: matched by name, or by a table of the user's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.protocol.classes import IGNORE, TRAIN_CLASSES

__all__ = ["OTHERS", "label_table", "missing_classes"]

# The key of a label map that stands for every label it does not name.
OTHERS = "*"
_IGNORE = "ignore"
_SHOWN = 8  # names in a message


def label_table(
    name: str, labels: Sequence[str], given: Mapping[str, object] | None = None
) -> np.ndarray:
    """Match a checkpoint's labels with the train classes by name.

    Case, underscores and hyphens do not matter. Without a map, labels and train classes must be
    the same set. With one, a label goes where the map says, else to the train class of its own
    name, else where the map sends ``*``.

    Args:
        name: of the model, for the message.
        labels: the label of each output index.
        given: label to train class or "ignore", the catalogue option ``label_map``.

    Returns:
        uint8 (len(labels),): the train id of each output index, 255 for a label that is never
        predicted.

    Raises:
        UserError: a label is unknown, or a train class is missing and no map was given; or the map
            names a label or a class that there is not.

    >>> label_table("m", ["Road", "ceiling"], {"ceiling": "ignore"}).tolist()
    [0, 255]
    """
    plain = [_plain(label) for label in labels]
    wanted = _checked(name, plain, given or {})
    found = [wanted.get(word, word if word in TRAIN_CLASSES else None) for word in plain]
    found = [wanted.get(OTHERS) if target is None else target for target in found]
    unknown = [label for label, target in zip(labels, found, strict=True) if target is None]
    missing = [word for word in TRAIN_CLASSES if word not in found]
    if unknown or (missing and not given):
        raise UserError(
            f"model {name!r} has another label set than the 19 Cityscapes train classes"
            f" (unknown: {_some(unknown)}; missing: {_some(missing)}): use a checkpoint trained on"
            " Cityscapes, or map its labels with the option label_map"
        )
    if len(missing) == len(TRAIN_CLASSES):
        raise UserError(f"model {name!r}: its label_map leaves no train class to predict: mend it")
    ids = {word: index for index, word in enumerate(TRAIN_CLASSES)} | {_IGNORE: IGNORE}
    return np.array([ids[str(target)] for target in found], dtype=np.uint8)


def missing_classes(table: np.ndarray) -> tuple[str, ...]:
    """Return the train classes that a table of `label_table` never predicts."""
    return tuple(word for index, word in enumerate(TRAIN_CLASSES) if index not in table)


def _checked(name: str, labels: Sequence[str], given: Mapping[str, object]) -> dict[str, str]:
    targets = (*TRAIN_CLASSES, _IGNORE)
    checked = {}
    for key, value in given.items():
        label, target = _plain(key), _plain(str(value))
        if key != OTHERS and label not in labels:
            raise UserError(
                f"model {name!r}: its label_map names {key!r}, which the checkpoint does not have"
                f"{closest(label, labels)}"
            )
        if target not in targets:
            raise UserError(
                f"model {name!r}: its label_map sends {key!r} to {value!r}, which is no train"
                f" class{closest(target, targets)}"
            )
        checked[key if key == OTHERS else label] = target
    return checked


def _plain(label: str) -> str:
    return " ".join(label.lower().replace("_", " ").replace("-", " ").split())


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) + more) or "none"
