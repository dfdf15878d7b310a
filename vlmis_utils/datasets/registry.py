"""Scenes, and the datasets they come from: StreetWorld, Cityscapes, CamVid, or any folder.

A scene is an image with its label map, its present classes and its reference safety label. Nothing
is read or rendered before it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.datasets.files import FileScene
from vlmis_utils.protocol.datasets import NOT_RENDERED, SPLITS, check_dataset
from vlmis_utils.protocol.ground_corridor import CAMERAS, Camera

if TYPE_CHECKING:
    from vlmis_utils.protocol.study import Study

__all__ = [
    "FileScene",
    "Scene",
    "folder_told",
    "load_many",
    "open_dataset",
    "open_scenes",
    "told_where",
]


@runtime_checkable
class Scene(Protocol):
    """What every dataset gives for one scene.

    `scene_id` is unique over all datasets and splits. `present` holds the language classes that
    reach `protocol.classes.MIN_SHARE` of the image; `safe` is the reference label of Section 3.5
    with its `safety_reason` (from geometry in StreetWorld, else by
    `protocol.image_corridor.image_rule`).
    """

    @property
    def scene_id(self) -> str:
        """Unique name."""
        ...

    @property
    def present(self) -> frozenset[str]:
        """Language classes in the scene."""
        ...

    @property
    def safe(self) -> bool:
        """Reference safety label."""
        ...

    @property
    def safety_reason(self) -> str:
        """Why the label is what it is."""
        ...

    def image(self) -> np.ndarray:
        """The image: uint8 (H, W, 3), RGB."""
        ...

    def labels(self) -> np.ndarray:
        """Train ids: uint8 (H, W), 255 = ignore."""
        ...

    def pixel_counts(self) -> np.ndarray:
        """Pixels of each train class: int64 (19,)."""
        ...


def open_dataset(
    name: str,
    root: str | Path | None = None,
    split: str = "test",
    limit: int | None = None,
    seed: int = 0,
    class_map: str | Path | None = None,
    image_size: Sequence[int] | None = None,
    camera: Camera | None = None,
) -> Sequence[Scene]:
    """Open a split of a dataset.

    Args:
        name: one of `protocol.datasets.DATASETS`.
        root: the dataset's folder; by default the environment variable CITYSCAPES_DATASET,
            VLMIS_CAMVID or VLMIS_FOLDER. StreetWorld needs none.
        split: train, val or test.
        limit: at most so many scenes; all (of StreetWorld, the default number) when None. From
            real data a seeded choice that keeps the shares of cities or recordings; a smaller
            limit chooses a part of what a larger one chooses.
        seed: of that choice; of StreetWorld, which world.
        class_map: what the values of a folder's label maps mean; see `protocol.class_map`.
        image_size: height and width to which frames and label maps on disk are brought; None
            leaves them as they are.
        camera: that took the photographs; by default the published one of
            `protocol.ground_corridor.CAMERAS`, for CamVid the estimates beside it, else none.

    Returns:
        a sequence of `Scene`, ordered by scene_id.

    Raises:
        UserError: an unknown dataset or split, a missing folder or label map, a limit below 1, a
            class map that is wrong, missing or not used, a size of rendered scenes.

    >>> len(open_dataset("streetworld", split="val", limit=3))
    3
    """
    check_dataset(name, class_map)
    if split not in SPLITS:
        raise UserError(f"{name} has no split {split!r}{closest(split, SPLITS)}")
    if isinstance(limit, bool) or not (limit is None or isinstance(limit, int)):
        raise UserError(f"limit must be a whole number of scenes, got {limit!r}")
    if limit is not None and limit < 1:
        raise UserError(f"limit is {limit}: ask for at least one scene")
    if name == "streetworld":
        from vlmis_utils.datasets.streetworld import open_streetworld

        if image_size is not None:
            raise UserError(f"image_size: {NOT_RENDERED}")
        return open_streetworld(split=split, limit=limit, seed=seed)
    size = None if image_size is None else _size(image_size)
    camera = camera or CAMERAS.get(name)
    return [
        replace(scene, camera=camera or scene.camera)
        for scene in _photographs(name, root, class_map, split, limit, seed, size)
    ]


def _photographs(
    name: str,
    root: str | Path | None,
    class_map: str | Path | None,
    *how: Any,
) -> list[FileScene]:
    """Open a dataset on disk; ``how`` is split, limit, seed and size."""
    if name == "cityscapes":
        from vlmis_utils.datasets.cityscapes import open_cityscapes

        return open_cityscapes(root, *how)
    if name == "folder":
        from vlmis_utils.datasets.folder import open_folder

        return open_folder(root, class_map or "", *how)
    from vlmis_utils.datasets.camvid import open_camvid

    return open_camvid(root, *how)


def _size(given: Sequence[int]) -> tuple[int, int]:
    if len(given) != 2 or not all(isinstance(side, int) and side > 0 for side in given):
        raise UserError(f"image_size must be height and width in pixels, not {given!r}")
    return given[0], given[1]


def open_scenes(study: Study) -> Sequence[Scene]:
    """Return the scenes of a study, in the order of their split; nothing is read yet.

    Of a study of sequences they are its frames, see `datasets.sequences`.

    Raises:
        UserError: as `open_dataset`.
    """
    if study.frames:
        from vlmis_utils.datasets.sequences import open_sequences

        return open_sequences(study)
    return open_dataset(
        study.dataset,
        root=study.data_root,
        split=study.split,
        limit=study.scenes,
        seed=study.seed,
        class_map=study.class_map,
        image_size=study.image_size,
        camera=study.camera,
    )


def folder_told(study: Study) -> str | None:
    """Return where a study is told that its photographs lie; None where nothing is said."""
    if study.dataset == "streetworld":
        return None
    if study.data_root is not None:
        return str(study.data_root)
    from vlmis_utils.datasets import camvid, cityscapes, folder

    module = {"cityscapes": cityscapes, "camvid": camvid, "folder": folder}[study.dataset]
    return os.environ.get(module.VARIABLE) or None


def told_where(study: Study) -> bool:
    """Whether a study is told where its photographs lie, or needs none."""
    return study.dataset == "streetworld" or folder_told(study) is not None


def load_many(scenes: Iterable[Scene], workers: int | None = None, progress: bool = True) -> None:
    """Prepare scenes for reading: render those StreetWorld scenes that the cache lacks.

    Scenes from files need no preparation.

    Args:
        scenes: any scenes, say what `open_dataset` returned.
        workers: processes, one a core by default.
        progress: show a progress bar.
    """
    from vlmis_utils.datasets.streetworld import StreetScene, render_many

    to_render = [scene for scene in scenes if isinstance(scene, StreetScene)]
    if to_render:
        render_many(to_render, workers=workers, progress=progress)
