"""Any folder of photographs and label maps, read with a class map: no code for a new dataset.

A photograph and its label map have the same name in two folders, with subfolders or without::

    <root>/images/<split>/<name>.jpg (or .png)
    <root>/labels/<split>/<name>.png (or .tif, .bmp)

Where no subfolder is named train, val or test, every split is all there is. A class map, YAML, says
what each value of the label maps means; `params/class_maps/` holds some for public datasets::

    images: images         # these four only where they differ from what stands here
    labels: labels
    image_suffix: ""       # what follows the name that both files share
    label_suffix: ""
    classes:
      0: road              # one of the 19 classes, or ignore
      255: ignore
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import yaml

from vlmis_utils.core.errors import UserError, closest, shown
from vlmis_utils.datasets.files import PHOTOGRAPHS, FileScene, label_table
from vlmis_utils.datasets.layout import dataset_folder, paired, stratified
from vlmis_utils.protocol.classes import IGNORE, LANGUAGE_NAMES, TRAIN_CLASSES

__all__ = ["ClassMap", "VARIABLE", "load_class_map", "open_folder"]

VARIABLE = "VLMIS_FOLDER"

_SPLITS = ("train", "val", "test")
# Endings of label maps: formats that keep every value as it is, so no JPEG.
_MAPS = (".png", ".tif", ".tiff", ".bmp")
_IGNORE = "ignore"
_LARGEST = 65535


@dataclass(frozen=True)
class ClassMap:
    """What the values of a dataset's label maps mean, and where its files lie.

    Attributes:
        classes: value, 0 to 65535 -> train class or "ignore". 255 is ignored where it is not named.
        images, labels: folders inside the root, searched with their subfolders.
        image_suffix, label_suffix: what follows, in a file's name, the name that both share.
    """

    classes: dict[int, str]
    images: str = "images"
    labels: str = "labels"
    image_suffix: str = ""
    label_suffix: str = ""

    @property
    def annotated(self) -> frozenset[str]:
        """The language classes that the label maps can show.

        >>> sorted(ClassMap({0: "road", 7: "person", 9: "ignore"}).annotated)
        ['pedestrian', 'road']
        """
        return frozenset(LANGUAGE_NAMES[name] for name in self.classes.values() if name != _IGNORE)

    def table(self) -> np.ndarray:
        """The lookup table of `datasets.files.label_table`, int16."""
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
            unknown class. The message names the file, the thing and the remedy.

    >>> load_class_map("params/class_maps/bdd100k.yaml").classes[13]
    'car'
    """
    path = Path(path)
    try:
        given = yaml.load(path.read_text(encoding="utf-8"), Loader=_Unrepeated)
    except FileNotFoundError:
        known = sorted(str(p) for p in Path("params/class_maps").glob("*.yaml"))
        raise UserError(f"no class map {path}{closest(path, known)}") from None
    except (yaml.YAMLError, RecursionError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"the class map {path} cannot be read as YAML: {reason}") from None
    classes = given.get("classes") if isinstance(given, dict) else None
    if not isinstance(classes, dict) or not classes:
        raise UserError(f"{path} needs 'classes:' with lines such as '0: road' below it")
    known = [field.name for field in fields(ClassMap)]
    for key, value in given.items():
        if key not in known:
            raise UserError(f"{path}: unknown key {key!r}{closest(key, known)}")
        if key != "classes" and not isinstance(value, str):
            raise UserError(f"{path}: {key} must be text, not {shown(value)}")
        if key in ("images", "labels") and not _inside(value):
            raise UserError(f"{path}: {key} must be a folder inside the dataset's, not {value!r}")
    for value, name in classes.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
            raise UserError(f"{path}: {value!r} is no value of a label map (0 to {_LARGEST})")
        if not isinstance(name, str):
            raise UserError(
                f"{path}: unknown class {shown(name)} for the value {value}: write a word"
            )
        if name not in (*TRAIN_CLASSES, _IGNORE):
            said = next((t for t, spoken in LANGUAGE_NAMES.items() if spoken == name), None)
            hint = f" (label maps call it {said!r})" if said else None
            hint = hint or closest(name, (*TRAIN_CLASSES, _IGNORE))
            raise UserError(f"{path}: unknown class {name!r} for the value {value}{hint}")
    class_map = ClassMap(**given)
    if not class_map.annotated:
        raise UserError(f"{path} ignores every value: name at least one class")
    return class_map


def open_folder(
    root: str | Path | None,
    class_map: str | Path,
    split: str = "test",
    limit: int | None = None,
    seed: int = 0,
) -> list[FileScene]:
    """Open a folder of photographs and label maps; see `datasets.registry.open_dataset`.

    Args:
        root: the folder; by default $VLMIS_FOLDER.
        class_map: file that `load_class_map` reads.
        split: ``train``, ``val`` or ``test``.
        limit: at most so many scenes, a seeded choice in which each subfolder keeps its share.
        seed: of the choice.

    Returns:
        scenes ordered by name, ``folder-<name>``, with the subfolders in the name.

    Raises:
        UserError: a wrong class map or folder, no photographs, no such split, two scenes of one
            name, a photograph without its label map or the reverse.
    """
    known = load_class_map(class_map)
    folder = dataset_folder("folder", root, VARIABLE, (known.images, known.labels))
    places = folder / known.images, folder / known.labels
    images = _by_name(places[0], PHOTOGRAPHS, known.image_suffix)
    if not images:
        wanted = f"*{known.image_suffix}.png or .jpg"
        raise UserError(f"no photograph ({wanted}) in {places[0]}: correct {class_map}")
    labels = _by_name(places[1], _MAPS, known.label_suffix)
    splits = [name for name in _SPLITS if any(name in _folders(image) for image in images)]
    if splits and split not in splits:
        raise UserError(f"{places[0]} has no split {split!r} (known: {', '.join(splits)})")
    if splits:
        images, labels = (
            {name: path for name, path in found.items() if split in _folders(name)}
            for found in (images, labels)
        )
    remedy = f"complete the pair, or correct the folders and suffixes in {class_map}"
    names = paired(images, labels, places, remedy)
    table = known.table()
    missing = f": add it to {class_map}, as a class or as 'ignore'"
    return [
        FileScene(f"folder-{name.replace('/', '-')}", images[name], labels[name], table, missing)
        for name in stratified(names, limit, seed, key=lambda n: (n.rpartition("/")[0], n))
    ]


def _by_name(folder: Path, endings: Iterable[str], suffix: str) -> dict[str, Path]:
    """Return <subfolders>/<name> -> file for all files with one of the endings and the suffix."""
    found: dict[str, Path] = {}
    ids: dict[str, Path] = {}
    walk = os.walk(folder, followlinks=True)
    for path in sorted(Path(parent) / name for parent, _, names in walk for name in names):
        if path.suffix.lower() not in endings or not path.stem.endswith(suffix):
            continue
        if path.name.startswith(".") or not path.is_file():
            continue
        name = (path.relative_to(folder).parent / path.stem.removesuffix(suffix)).as_posix()
        other = ids.setdefault(name.replace("/", "-"), path)
        if other is not path:
            raise UserError(f"{other} and {path} would be one scene: rename one of them")
        found[name] = path
    return found


def _inside(folder: str) -> bool:
    """Whether a folder's name stays within the folder that it is joined to."""
    path = Path(folder)
    return folder.isprintable() and not path.is_absolute() and ".." not in path.parts


def _folders(name: str) -> list[str]:
    return name.split("/")[:-1]


class _Unrepeated(yaml.SafeLoader):
    """Refuses a key that stands twice, where YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"{key!r} stands twice")
        return super().construct_mapping(node, deep)
