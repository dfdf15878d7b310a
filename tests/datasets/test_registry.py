"""Datasets: one interface, tiny fake folders, and real CamVid where VLMIS_CAMVID names it."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.datasets.cityscapes import LABEL_IDS, TRAIN_IDS
from vlmis_utils.datasets.layout import stratified
from vlmis_utils.datasets.registry import (
    Scene,
    load_many,
    open_dataset,
)
from vlmis_utils.protocol.classes import (
    LANGUAGE_CLASSES,
    TRAIN_CLASSES,
    present_classes,
)
from vlmis_utils.protocol.datasets import (
    CAMVID_CLASSES,
    CAMVID_EXCLUDED,
    DATASETS,
    SPLITS,
    annotated_classes,
)
from vlmis_utils.protocol.ground_corridor import CITYSCAPES_CAMERA, ground_rule

CITIES = {"frankfurt": 10, "lindau": 4, "munster": 6}
HEIGHT, WIDTH = 24, 48


def save(array: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def photograph(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


@pytest.fixture
def cityscapes(tmp_path: Path) -> Path:
    """Twenty scenes of the validation split; scene number k shows the labels k to k + 3."""
    number = 0
    for city, frames in CITIES.items():
        for frame in range(frames):
            stem = f"{city}_{frame:06d}_000019"
            ids = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
            ids[:] = np.repeat(np.arange(4) + number, WIDTH // 4)
            save(photograph(number), tmp_path / f"leftImg8bit/val/{city}/{stem}_leftImg8bit.png")
            save(ids, tmp_path / f"gtFine/val/{city}/{stem}_gtFine_labelIds.png")
            number += 1
    return tmp_path


@pytest.fixture
def camvid(tmp_path: Path) -> Path:
    for number, stem in enumerate(["0001TP_01", "0001TP_02", "Seq05VD_01", "Seq05VD_02"]):
        ids = np.tile(np.arange(12, dtype=np.uint8).repeat(WIDTH // 12), (HEIGHT, 1))
        suffix = ".jpg" if number % 2 else ".png"
        save(photograph(number), tmp_path / "val" / f"{stem}{suffix}")
        save(ids, tmp_path / "valannot" / f"{stem}.png")
    return tmp_path


def check_scene(scene: Scene) -> None:
    """Assert what every scene of every dataset promises."""
    image, labels = scene.image(), scene.labels()
    assert isinstance(scene, Scene) and isinstance(scene.scene_id, str)
    assert image.dtype == labels.dtype == np.uint8
    assert image.ndim == 3 and image.shape == (*labels.shape, 3)
    assert set(np.unique(labels)) <= {*range(19), 255}
    counts = scene.pixel_counts()
    assert counts.dtype == np.int64
    assert counts.tolist() == [int((labels == index).sum()) for index in range(19)]
    assert isinstance(scene.present, frozenset)
    assert scene.present == present_classes(counts, labels.size) <= set(LANGUAGE_CLASSES)
    assert isinstance(scene.safe, bool)
    assert scene.safety_reason and "\n" not in scene.safety_reason


def test_cityscapes_official_ids() -> None:
    official = {"road": 7, "wall": 12, "pole": 17, "traffic light": 19, "person": 24, "rider": 25,
                "car": 26, "train": 31, "motorcycle": 32, "bicycle": 33}  # fmt: skip
    assert len(LABEL_IDS) == 34
    for name, number in official.items():
        assert LABEL_IDS[number] == name
        assert TRAIN_IDS[number] == TRAIN_CLASSES.index(name)
    kept = [train for train in TRAIN_IDS.values() if train != 255]
    assert kept == list(range(19))


def test_cityscapes_reads_the_official_layout(cityscapes: Path) -> None:
    scenes = open_dataset("cityscapes", root=cityscapes, split="val")
    assert len(scenes) == 20
    assert scenes[0].scene_id == "cityscapes-val-frankfurt_000000_000019"
    names = [scene.scene_id for scene in scenes]
    assert names == sorted(names) and len(set(names)) == 20
    for number, scene in enumerate(scenes):
        check_scene(scene)
        assert np.array_equal(scene.image(), photograph(number))
        assert scene.labels()[0, ::12].tolist() == [TRAIN_IDS[number + k] for k in range(4)]
        assert (scene.safe, scene.safety_reason) == ground_rule(scene.labels(), CITYSCAPES_CAMERA)
    assert scenes[7].present == {"road", "sidewalk"}


def test_root_comes_from_the_environment(cityscapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYSCAPES_DATASET", str(cityscapes))
    assert len(open_dataset("cityscapes", split="val", limit=3)) == 3
    monkeypatch.delenv("CITYSCAPES_DATASET")
    with pytest.raises(UserError, match="CITYSCAPES_DATASET"):
        open_dataset("cityscapes", split="val")


def test_a_limit_keeps_the_shares_of_cities_and_smaller_ones_nest(cityscapes: Path) -> None:
    def chosen(limit: int | None, seed: int = 0) -> list[str]:
        scenes = open_dataset("cityscapes", root=cityscapes, split="val", limit=limit, seed=seed)
        return [scene.scene_id for scene in scenes]

    for limit in range(1, 21):
        names = chosen(limit)
        assert len(names) == limit and names == sorted(names)
        assert set(chosen(limit - 1 or 1)) <= set(names)
        cities = Counter(name.split("-")[2].split("_")[0] for name in names)
        for city, frames in CITIES.items():
            assert abs(cities[city] - limit * frames / 20) <= 1
    assert chosen(8) == chosen(8) != chosen(8, seed=1)
    assert chosen(None) == chosen(20) == chosen(500)


def test_choosing_does_not_depend_on_the_order_of_files() -> None:
    items = [f"{town}_{number}" for town in ("ulm", "bonn") for number in range(9)]
    by_town = lambda item: (item.split("_")[0], item)  # noqa: E731
    once = stratified(items, 7, 3, key=by_town)
    assert once == stratified(items[::-1], 7, 3, key=by_town)
    picks = Counter(name for seed in range(400) for name in stratified(items, 6, seed, key=by_town))
    assert all(80 < picks[item] < 190 for item in items)


def test_camvid_maps_its_eleven_classes(camvid: Path) -> None:
    scenes = open_dataset("camvid", root=camvid, split="val")
    assert [scene.scene_id for scene in scenes][::3] == [
        "camvid-val-0001TP_01",
        "camvid-val-Seq05VD_02",
    ]
    expected = [10, 2, 5, 0, 1, 8, 7, 4, 13, 11, 12, 255]
    for scene in scenes:
        check_scene(scene)
        assert scene.labels()[5, :: WIDTH // 12].tolist() == expected
        assert not scene.present & CAMVID_EXCLUDED
    assert np.array_equal(scenes[0].image(), photograph(0))


def test_what_camvid_cannot_show_is_named() -> None:
    assert len(CAMVID_CLASSES) == 11
    assert CAMVID_EXCLUDED == {
        "wall", "traffic light", "terrain", "truck", "bus", "train", "motorcycle", "bicycle",
    }  # fmt: skip
    assert annotated_classes("camvid") == set(LANGUAGE_CLASSES) - CAMVID_EXCLUDED
    assert annotated_classes("streetworld") == set(LANGUAGE_CLASSES)
    with pytest.raises(UserError, match="camvid"):
        annotated_classes("camvit")


@pytest.mark.skipif(not os.environ.get("VLMIS_CAMVID"), reason="VLMIS_CAMVID names no folder")
@pytest.mark.parametrize("split", SPLITS)
def test_real_camvid(split: str) -> None:
    scenes = open_dataset("camvid", split=split, limit=6)
    assert len(scenes) == 6
    for scene in scenes:
        check_scene(scene)
        assert scene.image().shape == (360, 480, 3) and scene.image().std() > 10
        assert {"road", "building"} <= scene.present
    assert len(open_dataset("camvid", split=split)) >= 60


def test_damaged_files_are_named(cityscapes: Path) -> None:
    scene = open_dataset("cityscapes", root=cityscapes, split="val")[0]
    whole = scene.image_path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:10], b"", b"text"):
        scene.image_path.write_bytes(damaged)
        with pytest.raises(RunError, match=scene.image_path.name) as error:
            scene.image()
        assert "\n" not in str(error.value)
    scene.image_path.unlink()
    with pytest.raises(RunError, match="is missing"):
        scene.image()


def test_truncated_jpeg_is_named(camvid: Path) -> None:
    scene = open_dataset("camvid", root=camvid, split="val")[1]
    assert scene.image_path.suffix == ".jpg"
    whole = scene.image_path.read_bytes()
    scene.image_path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RunError, match="cannot read .*0001TP_02.jpg"):
        scene.image()


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.zeros((HEIGHT, WIDTH - 1), dtype=np.uint8), "47 x 24 pixels, its image 48 x 24"),
        (np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8), "3 channels"),
        (np.full((HEIGHT, WIDTH), 34, dtype=np.uint8), "value 34"),
        (np.full((HEIGHT, WIDTH), 26001, dtype=np.uint16), "value 26001"),
        (np.full((HEIGHT, WIDTH), -1, dtype=np.int32), "value -1"),
        (np.full((HEIGHT, WIDTH), 2**31 - 1, dtype=np.int32), "value 2147483647"),
        (np.full((HEIGHT, WIDTH), 7, dtype=np.float32), "float32"),
    ],
)
def test_wrong_label_maps_are_named(cityscapes: Path, labels: np.ndarray, words: str) -> None:
    scene = open_dataset("cityscapes", root=cityscapes, split="val")[0]
    wide = labels.dtype.itemsize == 4  # more than PNG can hold
    Image.fromarray(labels).save(scene.label_path, format="TIFF" if wide else "PNG")
    for look in (scene.labels, scene.pixel_counts, lambda: scene.present):
        with pytest.raises(RunError, match=words) as error:
            look()
        assert scene.label_path.name in str(error.value) and "\n" not in str(error.value)


def test_a_missing_label_map_is_named_at_once(cityscapes: Path, camvid: Path) -> None:
    label = next((cityscapes / "gtFine/val/lindau").iterdir())
    label.unlink()
    stem = label.name.removesuffix("_gtFine_labelIds.png")
    for limit in (None, 1):  # also where the scene is not among the chosen
        with pytest.raises(UserError, match=f"label map of .*{stem}.*unpack"):
            open_dataset("cityscapes", root=cityscapes, split="val", limit=limit)
    (camvid / "valannot" / "0001TP_02.png").unlink()
    with pytest.raises(UserError, match="label map of .*0001TP_02.jpg"):
        open_dataset("camvid", root=camvid, split="val")


def test_a_label_map_without_its_photograph_is_named(cityscapes: Path, camvid: Path) -> None:
    gone = sorted((cityscapes / "leftImg8bit/val/frankfurt").iterdir())[:3]
    for path in gone:
        path.unlink()
    with pytest.raises(UserError, match=r"image of .*frankfurt_000000.*and 2 more"):
        open_dataset("cityscapes", root=cityscapes, split="val")
    (camvid / "val" / "Seq05VD_01.png").unlink()
    with pytest.raises(UserError, match="image of .*Seq05VD_01.png"):
        open_dataset("camvid", root=camvid, split="val")


@pytest.mark.parametrize(("folder", "what"), [("gtFine", "label map"), ("leftImg8bit", "image")])
def test_a_city_missing_is_named(cityscapes: Path, folder: str, what: str) -> None:
    shutil.rmtree(cityscapes / folder / "val" / "lindau")
    with pytest.raises(UserError, match=f"{folder}/val/lindau is missing or holds no {what}"):
        open_dataset("cityscapes", root=cityscapes, split="val", limit=2)


def test_raw_images_without_labels_are_refused_with_the_reason(cityscapes: Path) -> None:
    shutil.rmtree(cityscapes / "gtFine")
    with pytest.raises(UserError, match="images without labels.*read from labels.*gtFine") as error:
        open_dataset("cityscapes", root=cityscapes, split="val")
    assert "\n" not in str(error.value)


def test_the_folder_above_or_below_is_suggested(cityscapes: Path, tmp_path: Path) -> None:
    for part in ("leftImg8bit", "gtFine"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (cityscapes / part).rename(tmp_path / "data" / part)
    for wrong in (tmp_path, tmp_path / "data" / "leftImg8bit"):
        with pytest.raises(UserError, match=f"did you mean {tmp_path / 'data'}"):
            open_dataset("cityscapes", root=wrong, split="val")


@pytest.mark.parametrize("kind", ["labelTrainIds", "instanceIds"])
def test_other_official_label_maps_do_where_label_ids_are_missing(
    cityscapes: Path, kind: str
) -> None:
    before = [s.labels() for s in open_dataset("cityscapes", root=cityscapes, split="val")]
    for path in list(cityscapes.glob("gtFine/val/*/*_labelIds.png")):
        ids = np.asarray(Image.open(path)).astype(np.int32)
        if kind == "labelTrainIds":
            other = np.vectorize(TRAIN_IDS.get)(ids).astype(np.uint8)
        else:
            other = np.where(ids >= 24, 1000 * ids + ids % 7, ids).astype(np.uint16)
        save(other, path.with_name(path.name.replace("labelIds", kind)))
        if "lindau" not in path.name:
            path.unlink()
    scenes = open_dataset("cityscapes", root=cityscapes, split="val")
    for scene, labels in zip(scenes, before, strict=True):
        assert scene.label_path.name.endswith("labelIds.png" if "lindau" in scene.scene_id
                                              else f"{kind}.png")  # fmt: skip
        assert np.array_equal(scene.labels(), labels)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_16_bit_image_is_refused(cityscapes: Path, channels: int) -> None:
    scene = open_dataset("cityscapes", root=cityscapes, split="val")[0]
    shape = (HEIGHT, WIDTH, 3)[: 2 if channels == 1 else 3]
    cv2.imwrite(str(scene.image_path), np.full(shape, 4000, np.uint16))
    with pytest.raises(RunError, match=f"{scene.image_path.name} has 16 bits"):
        scene.image()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "cityscape"}, "did you mean 'cityscapes'"),
        ({"name": "camvid", "split": "dev"}, "'dev'.*train, val, test"),
        ({"name": "cityscapes", "split": "test"}, "needs its folder: set data_root"),
        ({"name": "streetworld", "split": "dev"}, "'dev'"),
        ({"name": "folder"}, "needs class_map"),
        ({"name": "camvid", "class_map": "params/class_maps/kitti.yaml"}, "camvid has its own"),
        ({"name": "streetworld", "limit": 0}, "limit is 0"),
        ({"name": "camvid", "limit": -2}, "limit is -2"),
        ({"name": "camvid", "limit": "6"}, "whole number"),
        ({"name": "camvid", "limit": 2.5}, "whole number"),
        ({"name": "camvid", "split": "val", "root": "no/such/folder"}, "no/such/folder"),
        ({"name": "cityscapes", "split": "val", "root": "no/such/folder"}, "no/such/folder"),
    ],
)
def test_misuse_is_named_in_one_line(given: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        open_dataset(**given)
    assert "\n" not in str(error.value)


def test_a_folder_in_another_layout_is_named(tmp_path: Path) -> None:
    for name, part in (("cityscapes", "leftImg8bit"), ("camvid", "val")):
        with pytest.raises(UserError, match=f"not in the layout of {name}.*{part}"):
            open_dataset(name, root=tmp_path, split="val")
    for part in ("leftImg8bit/val", "gtFine/val", "leftImg16bit/val", "val", "valannot"):
        (tmp_path / part).mkdir(parents=True)
    for name in ("cityscapes", "camvid"):
        with pytest.raises(UserError, match="no (image|photograph)"):
            open_dataset(name, root=tmp_path, split="val")


def test_streetworld_opens_like_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLMIS_CACHE", str(tmp_path))
    assert set(DATASETS) == {"streetworld", "cityscapes", "camvid", "folder"}
    scenes = open_dataset("streetworld", split="val", limit=2)
    load_many(scenes, workers=1, progress=False)
    assert [scene.scene_id for scene in scenes] == [
        "streetworld-val-0-00000",
        "streetworld-val-0-00001",
    ]
    for scene in scenes:
        check_scene(scene)


def test_files_need_no_preparation(camvid: Path) -> None:
    load_many(open_dataset("camvid", root=camvid, split="val"))
