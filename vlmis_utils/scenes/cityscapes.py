"""Cityscapes in its official folder layout (Cordts et al., CVPR 2016); Section 5.1 of the paper.

The files of one scene::

    <root>/leftImg8bit/<split>/<city>/<city>_<sequence>_<frame>_leftImg8bit.png
    <root>/gtFine/<split>/<city>/<city>_<sequence>_<frame>_gtFine_labelIds.png
"""

from __future__ import annotations

from pathlib import Path

from vlmis_utils.errors import UserError
from vlmis_utils.scenes.files import FileScene, dataset_folder, label_table, stratified
from vlmis_utils.taxonomy import IGNORE, TRAIN_CLASSES

__all__ = ["LABEL_IDS", "TRAIN_IDS", "VARIABLE", "open_cityscapes"]

VARIABLE = "CITYSCAPES_DATASET"

# The official label ids, in order from 0; "license plate" has id -1 and is stored as 255.
LABEL_IDS: tuple[str, ...] = (
    "unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic",
    "ground", "road", "sidewalk", "parking", "rail track", "building", "wall", "fence",
    "guard rail", "bridge", "tunnel", "pole", "polegroup", "traffic light", "traffic sign",
    "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "caravan",
    "trailer", "train", "motorcycle", "bicycle",
)  # fmt: skip

# A label that is a train class keeps its name; every other one is ignored in evaluation.
TRAIN_IDS: dict[int, int] = {
    number: TRAIN_CLASSES.index(name) if name in TRAIN_CLASSES else IGNORE
    for number, name in enumerate(LABEL_IDS)
}

_IMAGE = "_leftImg8bit.png"
_LABEL = "_gtFine_labelIds.png"


def open_cityscapes(
    root: str | Path | None = None, split: str = "val", limit: int | None = None, seed: int = 0
) -> list[FileScene]:
    """Open a split of Cityscapes; called through `vlmis_utils.scenes.open_dataset`.

    Args:
        root: folder with ``leftImg8bit`` and ``gtFine``; by default $CITYSCAPES_DATASET.
        split: ``train`` or ``val``.
        limit: at most so many scenes, a seeded choice in which each city keeps its share.
        seed: of the choice.

    Returns:
        scenes of 1024 x 2048 pixels, ordered by name; ``cityscapes-<split>-<city>_<seq>_<frame>``.

    Raises:
        UserError: a wrong folder, no images in it, or an image without its label map.
    """
    parts = [f"{folder}/{split}" for folder in ("leftImg8bit", "gtFine")]
    images, truths = (dataset_folder("cityscapes", root, VARIABLE, parts) / part for part in parts)
    files = [path for path in images.glob(f"*/*{_IMAGE}") if not path.name.startswith(".")]
    if not files:
        raise UserError(f"no image <city>/*{_IMAGE} in {images}: unpack leftImg8bit there")
    table = label_table(TRAIN_IDS)
    scenes = []
    for path in stratified(files, limit, seed, key=lambda file: (file.parent.name, file.name)):
        stem = path.name.removesuffix(_IMAGE)
        label = truths / path.parent.name / f"{stem}{_LABEL}"
        if not label.is_file():
            raise UserError(f"the label map {label} is missing: unpack gtFine beside leftImg8bit")
        scenes.append(FileScene(f"cityscapes-{split}-{stem}", path, label, table))
    return scenes
