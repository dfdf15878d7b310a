"""What datasets on disk have in common: a checked folder, whole pairs, a fair choice."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from vlmis_utils.core.errors import UserError

__all__ = ["by_name", "dataset_folder", "paired", "stratified"]

Item = TypeVar("Item")


def dataset_folder(name: str, root: str | Path | None, variable: str, parts: Sequence[str]) -> Path:
    """Return the folder of a dataset, checked to hold ``parts``.

    Args:
        name: of the dataset, for the message.
        root: the folder, or None to take it from the environment.
        variable: name of that environment variable.
        parts: folders inside that must exist.

    Raises:
        UserError: no folder given, or a part of it missing.
    """
    root = root or os.environ.get(variable)
    if not root:
        raise UserError(f"{name} needs its folder: set data_root, or the variable {variable}")
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise UserError(f"no folder {folder}: set data_root (or {variable}) to that of {name}")
    for part in parts:
        if not (folder / part).is_dir():
            inside = sorted(p for p in folder.iterdir() if p.is_dir())
            near = [p for p in (folder.parent, *inside) if (p / part).is_dir()]
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UserError(
                f"{folder} is not in the layout of {name}: the folder {folder / part} is missing"
                + hint
            )
    return folder


def by_name(
    files: Iterable[tuple[str, Path]], scene_of: Callable[[str], str] = lambda name: name
) -> dict[str, Path]:
    """Return name -> file, names in Unicode's composed form (NFC), each of one file only.

    One name is stored composed by some systems and decomposed by others: written either way it is
    the same scene, with the same occluder.

    Args:
        files: name of the scene and file, in any order.
        scene_of: makes the scene's id of its name, where two names could have one.

    Raises:
        UserError: two files would be one scene.
    """
    found: dict[str, Path] = {}
    scenes: dict[str, Path] = {}
    for name, path in sorted(files, key=lambda pair: str(pair[1])):
        name = unicodedata.normalize("NFC", name)
        other = scenes.setdefault(scene_of(name), path)
        if other is not path:
            raise UserError(f"{other} and {path} would be one scene: rename or remove one of them")
        found[name] = path
    return found


def paired(
    images: Mapping[str, Path],
    labels: Mapping[str, Path],
    places: tuple[Path, Path],
    remedy: str,
    group: Callable[[str], str] = lambda name: "",
) -> list[str]:
    """Return the names of all scenes, checked to have an image and a label map each.

    A choice among an incomplete set would differ from one machine to the next, so what has only
    one of the two is refused.

    Args:
        images, labels: name of the scene -> file.
        places: the folders of images and of labels, for the message.
        remedy: completes the message.
        group: gives a scene's city; one that lacks all images or all labels is named itself.

    Raises:
        UserError: something is unpaired.
    """
    for whole, part, place, what in (
        (images, labels, places[1], "label map"),
        (labels, images, places[0], "image"),
    ):
        missing = sorted(set(whole) - set(part))
        if not missing:
            continue
        empty = {group(name) for name in whole} - {group(name) for name in part} - {""}
        if empty:
            raise UserError(
                f"the folder {place / min(empty)} is missing or holds no {what}: {remedy}"
            )
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise UserError(f"the {what} of {whole[missing[0]]} is missing in {place}{more}: {remedy}")
    return sorted(images)


def stratified(
    items: Sequence[Item], limit: int | None, seed: int, *, key: Callable[[Item], tuple[str, str]]
) -> list[Item]:
    """Choose ``limit`` items so that each stratum keeps its share, to within one item or so.

    Each stratum is shuffled and spread evenly over the unit interval, and the items that lie first
    are taken: a smaller limit chooses a part of what a larger one chooses, on every machine.

    Args:
        items: what to choose from.
        limit: how many; all when None or more than there are.
        seed: of the shuffle.
        key: gives an item's stratum and its name.

    Returns:
        the chosen items, ordered by name.

    >>> towns = [f"{town}{number}" for town in "ab" for number in range(6 if town == "a" else 3)]
    >>> chosen = stratified(towns, 3, 0, key=lambda item: (item[0], item))
    >>> [item[0] for item in chosen]
    ['a', 'a', 'b']
    """
    strata: dict[str, list[tuple[int, Item]]] = defaultdict(list)
    for item in items:
        stratum, name = key(item)
        draw = hashlib.sha256(f"{seed}/{stratum}/{name}".encode()).digest()
        strata[stratum].append((int.from_bytes(draw[:8], "big"), item))
    ranked = []
    for drawn in strata.values():
        for rank, (draw, item) in enumerate(sorted(drawn, key=lambda pair: pair[0])):
            ranked.append(((rank + 0.5) / len(drawn), draw, item))
    ranked.sort(key=lambda entry: entry[:2])
    return sorted((item for _, _, item in ranked[:limit]), key=lambda item: key(item)[1])
