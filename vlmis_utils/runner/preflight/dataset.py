"""The dataset of a study: found, counted, and a sample of it read."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from vlmis_utils.core.errors import RunError
from vlmis_utils.datasets.drives import DriveFrame
from vlmis_utils.datasets.files import FileScene, turned
from vlmis_utils.datasets.registry import Scene, open_scenes
from vlmis_utils.datasets.streetworld import StreetScene, cache_folder
from vlmis_utils.protocol.classes import OBJECT_CLASSES
from vlmis_utils.protocol.datasets import annotated_classes
from vlmis_utils.protocol.study import Study
from vlmis_utils.runner.adopt import kept_records, kept_words
from vlmis_utils.runner.preflight.finding import Finding, size

__all__ = ["SCENE_BYTES", "dataset_findings", "missing_scenes"]

# Bytes of a rendered StreetWorld scene in the cache: measured, mean of 1358 scenes.
SCENE_BYTES = 222_000
_RENDERED = (StreetScene, DriveFrame)
# Change of width over height that nobody sees.
_SQUEEZED = 0.02


def dataset_findings(study: Study) -> list[Finding]:
    """Open the dataset, count its scenes, and read the first, the middle and the last of them.

    Where its photographs are not at hand but records of it are kept, there is no more to find.

    Raises:
        UserError: the dataset cannot be opened, or what is kept is of another study.
    """
    kept = kept_records(study)
    if kept is not None:
        return [Finding("dataset", "ok", kept_words(kept))]
    scenes = open_scenes(study)
    count, unit = len(scenes), "frames" if study.frames else "scenes"
    what = f"{study.dataset}, {study.split}: {count} {unit}"
    if study.frames and study.dataset != "streetworld":
        count = len({scene.in_time.sequence for scene in scenes})
        what += f" in {count} sequence{'s' if count > 1 else ''}"
    if count < study.scenes:
        what += f", not the {study.scenes} asked for"
        remedy = f"nothing, or set scenes to {count}, so that the file says what is run"
        found = [Finding("dataset", "warn", what, remedy)]
    else:
        found = [Finding("dataset", "ok", what)]
    if study.dataset == "streetworld":
        found.append(_rendered(scenes))
    annotated = annotated_classes(study.dataset, study.class_map)
    if not annotated.intersection(study.critical_classes):
        known = ", ".join(name for name in OBJECT_CLASSES if name in annotated) or "none"
        what = f"{study.dataset} annotates none of the critical classes, so COR is 0 throughout"
        found.append(Finding("critical_classes", "warn", what, f"choose among: {known}"))
    if remark := turned(scenes):
        remedy = "nothing, if the label maps lie under the upright images"
        found.append(Finding("images", "ok", remark, remedy))
    return [*found, *_sample(scenes)]


def missing_scenes(scenes: Sequence[Scene]) -> int:
    """Return how many StreetWorld scenes are still to be rendered."""
    return sum(isinstance(scene, _RENDERED) and not scene.path.exists() for scene in scenes)


def _rendered(scenes: Sequence[Scene]) -> Finding:
    missing = missing_scenes(scenes)
    of_drives = isinstance(scenes[0], DriveFrame)
    unit, folder = (
        ("frames", scenes[0].path.parents[1]) if of_drives else ("scenes", cache_folder())
    )
    done = f"{len(scenes) - missing} of {len(scenes)} {unit} rendered in {folder}"
    more = f"; the others need {size(missing * SCENE_BYTES)}" if missing else ""
    return Finding("scenes", "ok", done + more)


def _sample(scenes: Sequence[Scene]) -> list[Finding]:
    """Read images and label maps of three scenes; a scene that is not rendered is left out."""
    places = sorted({0, len(scenes) // 2, len(scenes) - 1})
    there = [scenes[place] for place in places if place >= 0]
    there = [s for s in there if not isinstance(s, _RENDERED) or s.path.exists()]
    found = []
    for scene in there:
        try:
            if scene.image().shape[:2] != scene.labels().shape:
                raise RunError(f"scene {scene.scene_id}: image and label map differ in size")
        except RunError as error:
            found.append(Finding.of("labels", error, "restore the file, or leave the scene out"))
    if found or not there:
        return found
    height, width = there[0].labels().shape
    if squeezed := [scene for scene in there if _is_squeezed(scene)]:
        found = f"image_size changes the proportions of {squeezed[0].scene_id}"
        remedy = f"nothing, or a height and width in proportion, not {height}, {width}"
        return [Finding("image_size", "warn", found, remedy)]
    names = ", ".join(scene.scene_id for scene in there)
    return [Finding("labels", "ok", f"readable, the first {width} x {height} pixels: {names}")]


def _is_squeezed(scene: Scene) -> bool:
    """Whether the size that a scene is brought to has other proportions than its image."""
    if not isinstance(scene, FileScene) or scene.size is None:
        return False
    height, width = dataclasses.replace(scene, size=None).image().shape[:2]
    return abs(scene.size[1] * height / (scene.size[0] * width) - 1) > _SQUEEZED
