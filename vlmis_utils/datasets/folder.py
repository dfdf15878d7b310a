"""Any folder of photographs and label maps, read with a class map: no code for a new dataset.

A photograph and its label map have the same name in two folders, with subfolders or without::

    <root>/images/<split>/<name>.jpg (or .png)
    <root>/labels/<split>/<name>.png (or .tif, .bmp)

Where no subfolder is named train, val or test, every split is all there is. A class map, YAML, says
what each value of the label maps means: see `protocol.class_map`; `params/class_maps/` holds some
for public datasets.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from vlmis_utils.core.errors import UserError
from vlmis_utils.datasets.files import PHOTOGRAPHS, FileScene
from vlmis_utils.datasets.layout import dataset_folder, paired, stratified
from vlmis_utils.protocol.class_map import load_class_map
from vlmis_utils.protocol.datasets import SPLITS

__all__ = ["VARIABLE", "open_folder"]

VARIABLE = "VLMIS_FOLDER"

# Endings of label maps: formats that keep every value as it is, so no JPEG.
_MAPS = (".png", ".tif", ".tiff", ".bmp")


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
    splits = [name for name in SPLITS if any(name in _folders(image) for image in images)]
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


def _folders(name: str) -> list[str]:
    return name.split("/")[:-1]
