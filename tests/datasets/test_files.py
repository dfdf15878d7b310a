"""Photographs as they come: turned, of one name, of another size, or no photographs at all."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image, ImageOps

from tests.helpers.miniature import save
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.corruptions.corrupt import corrupt
from vlmis_utils.datasets.files import FileScene, turned
from vlmis_utils.datasets.registry import open_dataset
from vlmis_utils.protocol.class_map import label_table
from vlmis_utils.protocol.classes import IGNORE, TRAIN_CLASSES

TABLE = label_table({number: number for number in range(19)} | {255: IGNORE})
HEIGHT, WIDTH = 24, 40
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n"


def scene_like(height: int = HEIGHT, width: int = WIDTH) -> tuple[np.ndarray, np.ndarray]:
    """An image that no turn leaves as it is, and its labels: a corner of sky, the rest road."""
    labels = np.zeros((height, width), np.uint8)
    labels[: height // 2, : width // 4] = TRAIN_CLASSES.index("sky")
    image = np.full((height, width, 3), 40, np.uint8)
    image[labels != 0] = (60, 120, 240)
    return image, labels


def as_taken(image: np.ndarray, orientation: int) -> np.ndarray:
    """What a sensor stored so that the tag makes this image of it; worked out with numpy alone."""
    return {
        1: image, 2: image[:, ::-1], 3: image[::-1, ::-1], 4: image[::-1],
        5: image.swapaxes(0, 1), 6: np.rot90(image, 1), 7: image.swapaxes(0, 1)[::-1, ::-1],
        8: np.rot90(image, -1),
    }[orientation]  # fmt: skip


def write_photograph(path: Path, stored: np.ndarray, orientation: int | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation is not None:
        exif[274] = orientation
    picture = Image.fromarray(np.ascontiguousarray(stored))
    picture.save(
        path, exif=exif, **({"quality": 100, "subsampling": 0} if path.suffix == ".jpg" else {})
    )


@pytest.mark.parametrize("ending", [".jpg", ".png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_lies_under_its_labels_however_the_camera_was_held(
    tmp_path: Path, orientation: int, ending: str
) -> None:
    image, labels = scene_like()
    path = tmp_path / f"a{ending}"
    write_photograph(path, as_taken(image, orientation), orientation)
    save(labels, tmp_path / "labels.png")
    scene = FileScene("a", path, tmp_path / "labels.png", TABLE)
    seen = scene.image().astype(int)
    assert seen.shape == image.shape and np.abs(seen - image).max() <= 40  # JPEG, at the edges
    assert np.abs(seen - image).mean() < 4
    with Image.open(path) as stored:
        assert np.array_equal(seen, np.asarray(ImageOps.exif_transpose(stored).convert("RGB")))
    assert np.array_equal(scene.labels(), labels)
    assert (str(path) in turned([scene])) == (orientation != 1)


@pytest.mark.parametrize("orientation", [None, 0, 9, 255, 65535])
def test_a_tag_that_means_nothing_changes_nothing(tmp_path: Path, orientation: int | None) -> None:
    image, _ = scene_like()
    path = tmp_path / "a.png"
    write_photograph(path, image, orientation)
    scene = FileScene("a", path, path, TABLE)
    assert np.array_equal(scene.image(), image) and turned([scene]) == ""


def test_damaged_exif_is_no_reason_to_stop(tmp_path: Path) -> None:
    image, _ = scene_like()
    path = tmp_path / "a.jpg"
    Image.fromarray(image).save(path, exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f\x01\x02")
    scene = FileScene("a", path, path, TABLE)
    assert scene.image().shape == image.shape and turned([scene]) == ""


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_labels_of_the_stored_picture_are_refused_with_the_reason(
    tmp_path: Path, orientation: int
) -> None:
    image, labels = scene_like()
    write_photograph(tmp_path / "a.jpg", as_taken(image, orientation), orientation)
    save(np.ascontiguousarray(as_taken(labels, orientation)), tmp_path / "a.png")
    with pytest.raises(RunError, match=f"upright.*EXIF orientation is {orientation}") as error:
        FileScene("a", tmp_path / "a.jpg", tmp_path / "a.png", TABLE).labels()
    assert "24 x 40" in str(error.value) and "40 x 24" in str(error.value)


def pair(root: Path, name: str, layout: str = "camvid", ending: str = ".png") -> None:
    image, labels = scene_like()
    places = {
        "camvid": (f"val/{name}{ending}", f"valannot/{name}.png"),
        "folder": (f"images/val/{name}{ending}", f"labels/val/{name}.png"),
        "cityscapes": (
            f"leftImg8bit/val/town/{name}_leftImg8bit.png",
            f"gtFine/val/town/{name}_gtFine_labelTrainIds.png",
        ),
    }[layout]
    save(image, root / places[0])
    save(labels, root / places[1])


def opened(root: Path, layout: str, **more: object) -> list[FileScene]:
    if layout == "folder":
        (root / "map.yaml").write_text(yaml.safe_dump({"classes": {0: "road", 10: "sky"}}))
        more["class_map"] = root / "map.yaml"
    return list(open_dataset(layout, root=root, split="val", **more))


@pytest.mark.parametrize(
    ("layout", "twin"),
    [
        ("camvid", "val/x.jpg"), ("camvid", "val/x.JPEG"), ("camvid", "valannot/x.PNG"),
        ("folder", "images/val/x.jpeg"), ("folder", "labels/val/x.tif"),
        ("cityscapes", "leftImg8bit/val/other/x_leftImg8bit.png"),
        ("cityscapes", "gtFine/val/other/x_gtFine_labelTrainIds.png"),
    ],
)  # fmt: skip
def test_two_files_of_one_scene_are_refused_by_name(tmp_path: Path, layout: str, twin: str) -> None:
    for name in ("x", "y"):
        pair(tmp_path, name, layout)
    assert len(opened(tmp_path, layout)) == 2
    save(scene_like()[0 if "annot" not in twin and "label" not in twin else 1], tmp_path / twin)
    with pytest.raises(UserError, match="would be one scene") as error:
        opened(tmp_path, layout)
    assert Path(twin).name in str(error.value) and str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


NAMES = ["Zürich", "Ångström_é", "서울", "Đà_Nẵng", "plain"]


@pytest.mark.parametrize("layout", ["camvid", "folder", "cityscapes"])
@pytest.mark.parametrize("name", NAMES)
def test_names_pair_up_and_degrade_alike_in_either_form(
    tmp_path: Path, layout: str, name: str
) -> None:
    import torch

    ids, pictures = [], []
    for number, forms in enumerate([("NFC", "NFC"), ("NFD", "NFD"), ("NFC", "NFD")]):
        root = tmp_path / str(number)
        for form in forms:
            pair(root, unicodedata.normalize(form, name), layout)
        if forms[0] != forms[1] and name != "plain":  # keep one image and the other form's labels
            for path in sorted(root.rglob("*.png")):
                form = forms[0] if path.relative_to(root).parts[0] in IMAGES else forms[1]
                if unicodedata.normalize(form, path.name) != path.name:
                    path.unlink()
        (scene,) = opened(root, layout)
        ids.append(scene.scene_id)
        image = torch.from_numpy(scene.image()).permute(2, 0, 1)[None]
        pictures.append(corrupt(image, "OCC3", scene_ids=[scene.scene_id]).numpy())
        assert scene.labels().shape == (HEIGHT, WIDTH)
    assert len(set(ids)) == 1 and unicodedata.is_normalized("NFC", ids[0])
    assert all(np.array_equal(pictures[0], other) for other in pictures[1:])


IMAGES = ("val", "images", "leftImg8bit")


def test_both_forms_of_a_name_side_by_side_are_one_scene_too_many(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        pair(tmp_path, unicodedata.normalize(form, "Málaga"))
    with pytest.raises(UserError, match="would be one scene"):
        opened(tmp_path, "camvid")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (LFS, "Git LFS pointer.*git lfs pull"),
        (b"<!DOCTYPE html><html>Sign in</html>", "web page"),
        (b"<html><title>404</title></html>", "web page"),
        (b"", "empty file"),
    ],
)
@pytest.mark.parametrize("which", ["val/x.png", "valannot/x.png"])
def test_what_is_no_picture_is_called_what_it_is(
    tmp_path: Path, which: str, content: bytes, words: str
) -> None:
    pair(tmp_path, "x")
    (tmp_path / which).write_bytes(content)
    (scene,) = opened(tmp_path, "camvid")
    with pytest.raises(RunError, match=f"{which} is an? .*{words}|{which} is .*{words}") as error:
        scene.image(), scene.labels()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("layout", ["camvid", "folder", "cityscapes"])
def test_frames_and_labels_are_brought_to_one_size(tmp_path: Path, layout: str) -> None:
    pair(tmp_path, "x", layout)
    (whole,), (small,) = opened(tmp_path, layout), opened(tmp_path, layout, image_size=[12, 20])
    assert whole.size is None and small.size == (12, 20) and whole.scene_id == small.scene_id
    assert small.image().shape == (12, 20, 3)
    assert np.array_equal(small.labels(), whole.labels()[1::2, 1::2])
    assert small.pixel_counts().sum() == 240 and small.present == whole.present
    assert small != whole


def test_shrinking_averages_and_does_not_alias(tmp_path: Path) -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    save(stripes, tmp_path / "a.png")
    save(np.zeros((64, 64), np.uint8), tmp_path / "l.png")
    scene = FileScene("a", tmp_path / "a.png", tmp_path / "l.png", TABLE, size=(16, 16))
    assert np.abs(scene.image()[4:-4, 4:-4].astype(int) - 127).max() < 12


def test_a_turned_picture_is_sized_upright(tmp_path: Path) -> None:
    image, labels = scene_like()
    write_photograph(tmp_path / "a.jpg", as_taken(image, 6), 6)
    save(labels, tmp_path / "a.png")
    scene = FileScene("a", tmp_path / "a.jpg", tmp_path / "a.png", TABLE, size=(12, 20))
    assert scene.image().shape == (12, 20, 3) and scene.labels().shape == (12, 20)
    assert scene.image()[2, 2, 2] > 200 > 100 > scene.image()[2, 15, 2]


def test_a_size_is_no_matter_for_rendered_scenes_or_of_three_numbers(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="image_size.*256 x 512"):
        open_dataset("streetworld", image_size=(10, 10))
    pair(tmp_path, "x")
    for wrong in ([3], [1, 2, 3], [0, 5], ["a", "b"]):
        with pytest.raises(UserError, match="height and width"):
            opened(tmp_path, "camvid", image_size=wrong)


def test_cityscapes_in_folders_of_images_and_labels(tmp_path: Path) -> None:
    names = [f"{city}_000000_{n:06d}" for city in ("bochum", "ulm") for n in range(4)]
    for split in ("val", "test"):
        for name in names[: 8 if split == "test" else 2]:
            image, labels = scene_like()
            save(image, tmp_path / "images" / split / f"{name}.png")
            save(labels, tmp_path / "labels" / split / f"{name}.png")
    scenes = open_dataset("cityscapes", root=tmp_path, split="test")
    assert [s.scene_id for s in scenes] == [f"cityscapes-test-{name}" for name in names]
    assert scenes[0].present == {"road", "sky"} and scenes[0].labels()[0, 0] == 10
    two = open_dataset("cityscapes", root=tmp_path, split="test", limit=2)
    assert [s.scene_id.split("-")[2].split("_")[0] for s in two] == ["bochum", "ulm"]
    with pytest.raises(UserError, match=r"no split 'train' \(known: val, test\)"):
        open_dataset("cityscapes", root=tmp_path, split="train")
    save(np.full((HEIGHT, WIDTH), 33, np.uint8), tmp_path / "labels" / "test" / f"{names[0]}.png")
    with pytest.raises(RunError, match="33, no label"):
        open_dataset("cityscapes", root=tmp_path, split="test")[0].labels()
