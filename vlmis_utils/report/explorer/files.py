"""The files that the explorer page loads, in ``build/<study>/explorer``.

A page that is opened from the file system may not fetch, but it may run scripts and show pictures:
the index and the words about each scene are small scripts that hand their data to
``vlmisExplorer``, the rest are pictures by name.
"""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from vlmis_utils.analysis import examples
from vlmis_utils.analysis.open_results import open_results, open_study
from vlmis_utils.analysis.results import Results
from vlmis_utils.core.errors import RunError, UserError, closest
from vlmis_utils.core.storage import Place
from vlmis_utils.datasets.registry import open_scenes
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.masks import mask_png
from vlmis_utils.report.explorer.facts import index, places, scene_answers
from vlmis_utils.report.pages import EXPLORER
from vlmis_utils.report.style import load_labels
from vlmis_utils.runner.images import array_digest

__all__ = ["PICTURES", "Written", "scene_link", "write_explorer"]

# Which pictures and label maps of a dataset go into the book.
PICTURES: dict[str, str] = {
    "own": "those of StreetWorld, which is part of this project, and of no other dataset",
    "all": "those of any dataset: for a book that stays with who may see the data",
    "none": "no image and no true label map",
}
_QUALITY = 80  # of JPEG; what the models saw had no such loss
_LONGEST = 1024  # pixels, the longer side of a picture shown


@dataclass(frozen=True)
class Written:
    """What the explorer of a run holds.

    Attributes:
        scenes, conditions: how many.
        pictures: whether pictures and true label maps are shown.
        masks: whether predicted label maps are.
        note: a sentence on what is not shown, and why; empty where all is.
        size: bytes of all files together.
    """

    scenes: int
    conditions: int
    pictures: bool
    masks: bool
    note: str
    size: int


def write_explorer(records: str | Place, pictures: str = "own") -> Written:
    """Write the data of the explorer page of a run; pictures that are there are kept.

    Args:
        records: the folder ``build/<study>/records``, or its URL.
        pictures: which pictures and true label maps go along, one of `PICTURES`.

    Raises:
        UserError: no such choice, or the dataset is not where it was.
        RunError: the records are missing or damaged, or a picture is no longer the one recorded.
    """
    if pictures not in PICTURES:
        raise UserError(f"explorer_pictures: unknown {pictures!r}{closest(pictures, PICTURES)}")
    results, study = open_results(records), open_study(records)
    folder = study.folder / EXPLORER
    dataset = results.scenes.dataset.iloc[0]
    shown = pictures == "all" or (pictures == "own" and dataset == "streetworld")
    files: dict[str, bytes | None] = {}  # None: a picture that is there already
    if shown:
        files |= _pictures(study, results, folder)
    masks = _masks(results)
    files |= masks
    note = _note(shown, bool(masks), dataset)
    files["index.js"] = _script("open", _index(results, study, shown, bool(masks), note))
    for place, said in enumerate(scene_answers(results)):
        files[f"words/{place}.js"] = _script("words", place, said)
    _write(folder, files)
    names, conditions = places(results)
    size = sum((folder / name).stat().st_size for name in files)
    return Written(len(names), len(conditions), shown, bool(masks), note, size)


def scene_link(
    results: Results, scene_id: str, condition: str, words: str = "See this scene"
) -> str:
    """Return a link, in HTML, from another page that runs to a scene in the explorer.

    Args:
        results: of the run.
        scene_id, condition: of the picture.
        words: of the link.
    """
    place = places(results)[0].index(scene_id)
    return f'<a href="explorer.html#scene={place}&amp;condition={condition}">{words}</a>'


def _index(results: Results, study: Study, shown: bool, masks: bool, note: str) -> dict:
    facts = index(results, load_labels(study.models), load_labels(study.models, full=True))
    names, conditions = places(results)
    files = results.conditions.set_index(["scene_id", "condition"]).image_sha256
    known = [_name(files[scene, c]) for scene in names for c in conditions]
    return facts | {"pictures": known if shown else None, "masks": masks, "note": note}


def _name(digest: str) -> str:
    return digest[:16]


def _pictures(study: Study, results: Results, folder: Path) -> dict[str, bytes | None]:
    """Return the pictures that the models saw, and the true label maps, by file name."""
    names, conditions = places(results)
    recorded = results.conditions.set_index(["scene_id", "condition"]).image_sha256
    scenes = {scene.scene_id: scene for scene in open_scenes(study)}
    files: dict[str, bytes | None] = {}
    for place, name in enumerate(names):
        wanted = {c: f"pictures/{_name(recorded[name, c])}.jpg" for c in conditions}
        files |= dict.fromkeys(wanted.values())
        truth = f"masks/{place}-truth.png"
        files[truth] = None
        missing = [c for c, file in wanted.items() if not (folder / file).exists()]
        if missing or not (folder / truth).exists():
            if name not in scenes:
                raise RunError(f"scene {name} is not in {study.dataset} any more: run the study")
            files[truth] = mask_png(scenes[name].labels())
            for view in examples.degrade(study, scenes[name], missing):
                if array_digest(view.image) != recorded[name, view.condition]:
                    raise RunError(
                        f"scene {name} under {view.condition} is not the image that was "
                        "recorded: the data changed since, run the study again"
                    )
                _put(folder / wanted[view.condition], _jpeg(view.image))
    return files


def _jpeg(image: np.ndarray) -> bytes:
    picture = Image.fromarray(image)
    picture.thumbnail((_LONGEST, _LONGEST))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _masks(results: Results) -> dict[str, bytes]:
    """Return the predicted label maps by file name; none where the run did not keep all."""
    frame = results.segmentation
    if frame["mask"].isna().any():
        return {}
    place = {name: i for i, name in enumerate(places(results)[0])}
    number = {name: i for i, name in enumerate(dict.fromkeys(frame.segmenter))}
    columns = frame.scene_id, frame.condition, frame.segmenter, frame["mask"]
    return {
        f"masks/{place[scene]}-{condition}-{number[segmenter]}.png": mask
        for scene, condition, segmenter, mask in zip(*columns, strict=True)
    }


def _note(shown: bool, masks: bool, dataset: str) -> str:
    """Return in sentences what is not shown, and what would show it."""
    lacking = []
    if not shown and dataset == "streetworld":
        lacking.append("Images and true label maps are left out, as explorer_pictures says.")
    elif not shown:
        lacking.append(
            f"The images and label maps of {dataset} are not ours to pass on, so this book does "
            "not hold them; 'vlmis book PARAMS -p explorer_pictures all' puts them into your own."
        )
    if not masks and not shown and dataset != "streetworld":
        lacking.append(
            "The label maps that segmenters predicted are not among these records either: a run on "
            "the photographs themselves (data_root) makes them."
        )
    elif not masks:
        lacking.append(
            "The run that left these records kept no predicted label maps; remove shards/"
            "segmentation beside the records and run the study again to keep them."
        )
    return " ".join(lacking)


def _script(function: str, *arguments: object) -> bytes:
    """Return a script that hands JSON to the explorer."""
    words = [json.dumps(a, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
             for a in arguments]  # fmt: skip
    return f"vlmisExplorer.{function}({','.join(words)});\n".encode()


def _write(folder: Path, files: dict[str, bytes | None]) -> None:
    """Write files, and remove others that an earlier run left."""
    for name, data in files.items():
        path = folder / name
        if data is not None and not (path.exists() and path.read_bytes() == data):
            _put(path, data)
    for path in [p for p in folder.rglob("*") if p.is_file()]:
        if path.relative_to(folder).as_posix() not in files:
            path.unlink()


def _put(path: Path, data: bytes) -> None:
    """Write a file so that it is there as a whole; a picture can be made again, so no sync."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    draft.write_bytes(data)
    os.replace(draft, path)
