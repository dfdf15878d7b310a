"""Any folder of photographs and label maps, read with a class map: no code for a new dataset.

A photograph and its label map have the same name in two folders, with subfolders or without::

    <root>/images/<split>/<name>.jpg (or .png)
    <root>/labels/<split>/<name>.png (or .tif, .bmp)

Where no subfolder is named train, val or test, every split is all there is. A video file stands for
a folder of frames: see `datasets.video`. A class map, YAML, says
what each value of the label maps means: see `protocol.class_map`; `params/class_maps/` holds some
for public datasets.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

from vlmis_utils.core.errors import UserError
from vlmis_utils.datasets.files import PHOTOGRAPHS, FileScene
from vlmis_utils.datasets.layout import by_name, dataset_folder, paired, stratified
from vlmis_utils.datasets.video import VIDEOS, frames_of_videos
from vlmis_utils.protocol.class_map import ClassMap, load_class_map
from vlmis_utils.protocol.datasets import SPLITS

__all__ = ["VARIABLE", "open_folder", "read_folder"]

VARIABLE = "VLMIS_FOLDER"

# Endings of label maps: formats that keep every value as it is, so no JPEG.
_MAPS = (".png", ".tif", ".tiff", ".bmp")


def open_folder(
    root: str | Path | None,
    class_map: str | Path,
    split: str = "test",
    limit: int | None = None,
    seed: int = 0,
    size: tuple[int, int] | None = None,
) -> list[FileScene]:
    """Open a folder of photographs and label maps; see `datasets.registry.open_dataset`.

    Args:
        root: the folder; by default $VLMIS_FOLDER.
        class_map: file that `load_class_map` reads.
        split: ``train``, ``val`` or ``test``.
        limit: at most so many scenes, a seeded choice in which each subfolder keeps its share.
        seed: of the choice.
        size: as of `datasets.files.FileScene`.

    Returns:
        scenes ordered by name, ``folder-<name>``, with the subfolders in the name.

    Raises:
        UserError: a wrong class map or folder, no photographs, no such split, two scenes of one
            name, a photograph without its label map or the reverse.
    """
    known = load_class_map(class_map)
    folder = dataset_folder("folder", root, VARIABLE, (known.images, known.labels))
    return read_folder(folder, known, str(class_map), "folder", split, limit, seed, size)


def read_folder(
    folder: Path,
    known: ClassMap,
    source: str,
    name: str,
    split: str,
    limit: int | None,
    seed: int,
    size: tuple[int, int] | None,
    stratum: Callable[[str], str] = lambda scene: scene.rpartition("/")[0],
) -> list[FileScene]:
    """Open a folder that has the layout of this module; arguments and errors as of `open_folder`.

    Args:
        known: what the values of the label maps mean.
        source: where that stands, for messages.
        name: begins the ids of the scenes.
        stratum: gives the group of a scene, subfolders and name, that keeps its share of a choice.
    """
    places = folder / known.images, folder / known.labels
    images = _by_name(places[0], PHOTOGRAPHS, known.image_suffix)
    videos = _by_name(places[0], VIDEOS, "")
    if not images and not videos:
        wanted = f"*{known.image_suffix}.png or .jpg"
        raise UserError(f"no photograph ({wanted}) in {places[0]}: correct {source}")
    labels = _by_name(places[1], _MAPS, known.label_suffix)
    splits = [s for s in SPLITS if any(s in _folders(image) for image in (*images, *videos))]
    if splits and split not in splits:
        raise UserError(f"{places[0]} has no split {split!r} (known: {', '.join(splits)})")
    if splits:
        images, videos, labels = (
            {scene: path for scene, path in found.items() if split in _folders(scene)}
            for found in (images, videos, labels)
        )
    images |= frames_of_videos(videos, labels, places[1])
    remedy = f"complete the pair, or correct the folders and suffixes in {source}"
    names = paired(images, labels, places, remedy)
    table = known.table()
    missing = f": add it to {source}, as a class or as 'ignore'"
    chosen = stratified(names, limit, seed, key=lambda scene: (stratum(scene), scene))
    return [
        FileScene(
            f"{name}-{scene.replace('/', '-')}", images[scene], labels[scene], table, missing, size
        )
        for scene in chosen
    ]


def _by_name(folder: Path, endings: Iterable[str], suffix: str) -> dict[str, Path]:
    """Return <subfolders>/<name> -> file for all files with one of the endings and the suffix."""
    files = []
    for parent, _, names in os.walk(folder, followlinks=True):
        for path in (Path(parent) / name for name in names):
            if path.suffix.lower() not in endings or path.name.startswith("."):
                continue
            stem = unicodedata.normalize("NFC", path.stem)
            if stem.endswith(suffix) and path.is_file():
                inside = path.relative_to(folder).parent
                files.append(((inside / stem.removesuffix(suffix)).as_posix(), path))
    return by_name(files, scene_of=lambda name: name.replace("/", "-"))


def _folders(name: str) -> list[str]:
    return name.split("/")[:-1]
