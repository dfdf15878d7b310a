"""Any folder with a class map: pairs, splits, maps of public datasets, and what users get wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.helpers.miniature import save
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.datasets.cityscapes import LABEL_IDS, TRAIN_IDS
from vlmis_utils.datasets.folder import open_folder
from vlmis_utils.datasets.registry import Scene, open_dataset
from vlmis_utils.protocol.class_map import ClassMap, load_class_map
from vlmis_utils.protocol.classes import IGNORE, LANGUAGE_CLASSES, TRAIN_CLASSES
from vlmis_utils.protocol.datasets import annotated_classes
from vlmis_utils.protocol.image_corridor import image_rule

MAPS = Path("params/class_maps")
SIZE = (24, 48)
CLASSES = {0: "road", 5: "person", 300: "sky", 7: "ignore"}


def write_map(path: Path, classes: dict | None = None, **more: object) -> Path:
    path.write_text(yaml.safe_dump({"classes": CLASSES if classes is None else classes, **more}))
    return path


def picture(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def values(*given: int) -> np.ndarray:
    return np.tile(np.repeat(np.array(given, np.uint16), SIZE[1] // len(given)), (SIZE[0], 1))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Six scenes with splits: two recordings of the split val, one of train."""
    for number, name in enumerate(["val/a/1", "val/a/2", "val/a/3", "val/b/1", "val/b/2"]):
        end = ".jpg" if number % 2 else ".png"
        save(picture(number), tmp_path / "images" / f"{name}{end}")
        save(values(0, 5, 300, 7), tmp_path / "labels" / f"{name}.png")
    save(picture(9), tmp_path / "images" / "train" / "x.png")
    save(values(0, 0, 255, 7), tmp_path / "labels" / "train" / "x.png")
    return tmp_path


def test_a_folder_is_read_with_its_map(data: Path) -> None:
    class_map = write_map(data / "map.yaml")
    scenes = open_dataset("folder", root=data, split="val", class_map=class_map)
    assert [s.scene_id for s in scenes] == [
        "folder-val-a-1", "folder-val-a-2", "folder-val-a-3", "folder-val-b-1", "folder-val-b-2",
    ]  # fmt: skip
    for scene in scenes:
        assert isinstance(scene, Scene)
        assert scene.labels()[3, :: SIZE[1] // 4].tolist() == [0, 11, 10, IGNORE]
        assert scene.present == {"road", "pedestrian", "sky"}
        assert (scene.safe, scene.safety_reason) == image_rule(scene.labels())
        assert scene.camera is None
    assert np.array_equal(scenes[0].image(), picture(0))
    (alone,) = open_dataset("folder", root=data, split="train", class_map=class_map)
    assert alone.present == {"road"}


def test_only_what_the_map_names_is_annotated(data: Path) -> None:
    class_map = write_map(data / "map.yaml")
    assert annotated_classes("folder", class_map) == {"road", "pedestrian", "sky"}


def test_the_root_comes_from_the_environment(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLMIS_FOLDER", str(data))
    class_map = write_map(data / "map.yaml")
    assert len(open_dataset("folder", split="val", class_map=class_map)) == 5


def test_a_limit_keeps_the_shares_of_subfolders(data: Path) -> None:
    class_map = write_map(data / "map.yaml")
    for limit in range(1, 6):
        scenes = open_folder(data, class_map, split="val", limit=limit)
        count = Counter(scene.scene_id.split("-")[2] for scene in scenes)
        assert sum(count.values()) == limit and abs(count["a"] - limit * 3 / 5) <= 1


def test_without_splits_every_split_is_all(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(picture(0), tmp_path / "images" / f"{name}.png")
        save(values(0, 5), tmp_path / "labels" / f"{name}.png")
    class_map = write_map(tmp_path / "map.yaml")
    for split in ("train", "val", "test"):
        assert len(open_folder(tmp_path, class_map, split=split)) == 2


def test_linked_folders_are_followed(data: Path, tmp_path: Path) -> None:
    root = tmp_path / "links"
    for kind in ("images", "labels"):
        (root / kind).mkdir(parents=True)
        (root / kind / "val").symlink_to(data / kind / "val")
    assert len(open_folder(root, write_map(data / "map.yaml"), split="val")) == 5


def test_colour_maps_with_a_palette_are_read_by_index(tmp_path: Path) -> None:
    save(picture(0), tmp_path / "images" / "a.png")
    (tmp_path / "labels").mkdir()
    indexed = Image.fromarray(values(0, 5).astype(np.uint8)).convert("P")
    indexed.putpalette([9, 9, 9] * 256)
    indexed.save(tmp_path / "labels" / "a.png")
    (scene,) = open_folder(tmp_path, write_map(tmp_path / "map.yaml"))
    assert scene.present == {"road", "pedestrian"}


def test_a_value_that_the_map_lacks_is_named_with_its_file(data: Path) -> None:
    class_map = write_map(data / "map.yaml")
    save(values(6, 0, 300, 9), data / "labels" / "val" / "b" / "2.png")
    scenes = open_folder(data, class_map, split="val")
    assert scenes[0].present
    with pytest.raises(RunError, match=f"labels/val/b/2.png holds the values 6, 9, .*{class_map}"):
        scenes[-1].labels()


def test_255_is_ignored_unless_the_map_says_otherwise() -> None:
    assert ClassMap({0: "road"}).table()[255] == IGNORE
    assert ClassMap({255: "road"}).table()[255] == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: (d / "labels/val/a/2.png").unlink(), "label map of .*a/2.jpg is missing"),
        (lambda d: (d / "images/val/b/1.jpg").unlink(), "image of .*labels/val/b/1.png"),
        (lambda d: save(picture(0), d / "images/val/a/1.jpg"), "would be one scene"),
        (lambda d: save(picture(0), d / "images/val/a-1.jpg"), "would be one scene"),
        (lambda d: (d / "labels").rename(d / "masks"), "folder .*labels is missing"),
    ],
)
def test_what_is_unpaired_is_named(data: Path, change, words: str) -> None:
    change(data)
    with pytest.raises(UserError, match=words) as error:
        open_folder(data, write_map(data / "map.yaml"), split="val")
    assert "\n" not in str(error.value)


def test_other_misuse_is_named(data: Path) -> None:
    class_map = write_map(data / "map.yaml")
    with pytest.raises(UserError, match=r"no split 'test' \(known: train, val\)"):
        open_folder(data, class_map, split="test")
    with pytest.raises(UserError, match=r"no photograph \(\*_rgb.png"):
        open_folder(data, write_map(data / "b.yaml", image_suffix="_rgb"), split="val")
    with pytest.raises(UserError, match="no folder"):
        open_folder(data / "nowhere", class_map, split="val")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("classes: {0: raod}", "unknown class 'raod' for the value 0.*'road'"),
        ("classes: {0: pedestrian}", "label maps call it 'person'"),
        ("classes: {road: 0}", "'road' is no value"),
        ("classes: {-1: road}", "-1 is no value"),
        ("classes: {70000: road}", "70000 is no value"),
        ("classes: {true: road}", "True is no value"),
        ("classes: {0: [road]}", "unknown class"),
        ("classes: {0: road, 0: sky}", "0 stands twice"),
        ("classes: {0: ignore}", "ignores every value"),
        ("classes: {}", "needs 'classes:'"),
        ("0: road", "needs 'classes:'"),
        ("", "needs 'classes:'"),
        ("- road", "needs 'classes:'"),
        ("classes: {0: road}\nimage: x", "unknown key 'image'.*'images'"),
        ("classes: {0: road}\nlabels: 3", "labels must be text"),
        ("classes: {0: road", "cannot be read as YAML"),
    ],
)
def test_a_wrong_map_is_named_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=words) as error:
        load_class_map(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_missing_map_suggests_one() -> None:
    with pytest.raises(UserError, match="bdd100k.yaml"):
        load_class_map("params/class_maps/bdd100.yaml")


# The maps that come with the project ----------------------------------------------------------


def test_the_bdd100k_map_is_the_train_ids() -> None:
    classes = load_class_map(MAPS / "bdd100k.yaml").classes
    assert classes == {**dict(enumerate(TRAIN_CLASSES)), 255: "ignore"}


@pytest.mark.parametrize("name", ["kitti", "acdc"])
def test_maps_of_cityscapes_label_ids_are_the_official_table(name: str) -> None:
    table = load_class_map(MAPS / f"{name}.yaml").table()
    assert table[: len(LABEL_IDS)].tolist() == list(TRAIN_IDS.values())


def test_the_mapillary_map_covers_its_66_labels() -> None:
    found = load_class_map(MAPS / "mapillary-vistas.yaml")
    assert sorted(found.classes) == list(range(66))
    assert found.annotated == frozenset(LANGUAGE_CLASSES)


# A photograph and its label map, as each archive unpacks.
LAYOUTS = {
    "bdd100k": ("images/10k/val/b1c6.jpg", "labels/sem_seg/masks/val/b1c6.png", 13),
    "kitti": ("training/image_2/000000_10.png", "training/semantic/000000_10.png", 26),
    "acdc": (
        "rgb_anon/fog/val/GOPR0476/GOPR0476_frame_000854_rgb_anon.png",
        "gt/fog/val/GOPR0476/GOPR0476_frame_000854_gt_labelIds.png",
        26,
    ),
    "mapillary-vistas": ("images/abc.jpg", "v1.2/labels/abc.png", 55),
}


def test_every_map_has_its_layout_here() -> None:
    assert set(LAYOUTS) == {path.stem for path in MAPS.glob("*.yaml")}


@pytest.mark.parametrize("name", LAYOUTS)
def test_public_datasets_need_no_code(tmp_path: Path, name: str) -> None:
    image, label, car = LAYOUTS[name]
    save(picture(0), tmp_path / image)
    save(np.full(SIZE, car, np.uint8), tmp_path / label)
    if name == "acdc":  # what else lies in its folders
        save(picture(0), tmp_path / "rgb_anon/fog/val_ref/GOPR0476/GOPR0476_f_ref_anon.png")
        save(picture(0), tmp_path / "rgb_anon/fog/test/G/G_frame_1_rgb_anon.png")
        save(values(0), tmp_path / label.replace("labelIds", "labelTrainIds"))
    (scene,) = open_dataset("folder", root=tmp_path, split="val", class_map=MAPS / f"{name}.yaml")
    assert scene.present == {"car"}
