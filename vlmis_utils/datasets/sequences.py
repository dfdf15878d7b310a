"""The sequences of a study: drives of StreetWorld, recordings of CamVid, folders of frames.

On disk a sequence is what lies in one folder, ``images/<split>/<sequence>/<frame>``, or one video
file, ``images/<split>/<sequence>.mp4``, with its label maps in a folder; of CamVid it is a
recording, the part of a name before the underscore. Frames are in the order of their names, numbers
as numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vlmis_utils.core.errors import UserError
from vlmis_utils.datasets.registry import FileScene, Scene, open_dataset
from vlmis_utils.datasets.video import natural
from vlmis_utils.protocol.study import Study
from vlmis_utils.protocol.timing import InTime

__all__ = ["open_sequences"]


def open_sequences(study: Study) -> Sequence[Scene]:
    """Return the frames of a study's sequences, sequence by sequence, each with its place in time.

    Args:
        study: with ``frames`` above 0; ``scenes`` counts its sequences.

    Raises:
        UserError: as `datasets.registry.open_dataset`; no folder with two frames or more.
    """
    if study.dataset == "streetworld":
        from vlmis_utils.datasets.drives import drive_frames

        return drive_frames(study.split, study.seed, study.scenes, study.frames, study.rate)
    scenes = open_dataset(
        study.dataset, root=study.data_root, split=study.split, seed=study.seed,
        class_map=study.class_map, image_size=study.image_size, camera=study.camera,
    )  # fmt: skip
    found: dict[str, list[FileScene]] = {}
    for scene in scenes:
        found.setdefault(_sequence(study.dataset, scene.label_path), []).append(scene)
    long = {name: frames for name, frames in sorted(found.items()) if len(frames) > 1}
    if not long:
        raise UserError(
            f"{study.dataset} has no sequence in split {study.split!r}: put the frames of one into"
            " images/<split>/<sequence>/, or set frames to 0"
        )
    return [
        replace(scene, in_time=InTime(Path(name).name, number, number / study.rate))
        for name, frames in list(long.items())[: study.scenes]
        for number, scene in enumerate(
            sorted(frames, key=lambda scene: natural(scene.image_path.stem))[: study.frames]
        )
    ]


def _sequence(dataset: str, path: Path) -> str:
    return path.stem.split("_")[0] if dataset == "camvid" else str(path.parent)
