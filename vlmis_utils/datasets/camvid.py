"""CamVid in the layout of the SegNet tutorial, eleven classes at 360 x 480 pixels.

The files of one scene, photograph and label map with values 0 to 11::

    <root>/<split>/<name>.png (or .jpg)
    <root>/<split>annot/<name>.png

Brostow, Fauqueur and Cipolla, Pattern Recognition Letters 30, 2009; the eleven classes as in
Badrinarayanan, Kendall and Cipolla, PAMI 39, 2017.
"""

from __future__ import annotations

from pathlib import Path

from vlmis_utils.core.errors import UserError
from vlmis_utils.datasets.files import PHOTOGRAPHS, FileScene
from vlmis_utils.datasets.layout import by_name, dataset_folder, paired, stratified
from vlmis_utils.protocol.class_map import label_table
from vlmis_utils.protocol.classes import IGNORE, TRAIN_CLASSES
from vlmis_utils.protocol.datasets import CAMVID_CLASSES
from vlmis_utils.protocol.ground_corridor import CAMVID_CAMERAS

__all__ = ["VARIABLE", "open_camvid"]

VARIABLE = "VLMIS_CAMVID"


def open_camvid(
    root: str | Path | None = None,
    split: str = "test",
    limit: int | None = None,
    seed: int = 0,
    size: tuple[int, int] | None = None,
) -> list[FileScene]:
    """Open a split of CamVid; called through `datasets.registry.open_dataset`.

    Args:
        root: folder with ``train``, ``trainannot`` and so on; by default $VLMIS_CAMVID.
        split: ``train``, ``val`` or ``test``.
        limit: at most so many scenes, a seeded choice in which each recording (the part of the
            name before the underscore) keeps its share.
        seed: of the choice.
        size: as of `datasets.files.FileScene`.

    Returns:
        scenes ordered by name, ``camvid-<split>-<name>``, those of a known recording with its
        camera (`protocol.ground_corridor.CAMVID_CAMERAS`). Classes of
        `protocol.datasets.CAMVID_EXCLUDED` are never present in them.

    Raises:
        UserError: a wrong folder, no photographs in it, one without its label map, two of one name.
    """
    folder = dataset_folder("camvid", root, VARIABLE, (split, f"{split}annot"))
    places = folder / split, folder / f"{split}annot"
    images = by_name((path.stem, path) for path in _files(places[0], PHOTOGRAPHS))
    if not images:
        raise UserError(f"no photograph (.png, .jpg) in {places[0]}: copy CamVid's there")
    labels = by_name((path.stem, path) for path in _files(places[1], (".png",)))
    names = paired(images, labels, places, "copy CamVid again, whole")
    table = label_table(
        {
            **{i: TRAIN_CLASSES.index(name) for i, name in enumerate(CAMVID_CLASSES.values())},
            len(CAMVID_CLASSES): IGNORE,
        }
    )
    return [
        FileScene(
            f"camvid-{split}-{name}", images[name], labels[name], table, size=size,
            camera=CAMVID_CAMERAS.get(name.split("_")[0]),
        )
        for name in stratified(names, limit, seed, key=lambda n: (n.split("_")[0], n))
    ]  # fmt: skip


def _files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    return [
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() in suffixes and not path.name.startswith(".")
    ]
