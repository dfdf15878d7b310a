"""Parameter files as people write them: every mistake at once, and YAML 1.2."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pydantic
import pytest

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.class_map import load_class_map
from vlmis_utils.protocol.classes import LANGUAGE_CLASSES, OBJECT_CLASSES
from vlmis_utils.protocol.models import load_catalogue
from vlmis_utils.protocol.parameters import load_study, read_study
from vlmis_utils.protocol.study import Study


def write(folder: Path, text: str) -> Path:
    path = folder / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path, overrides: dict[str, object] | None = None) -> str:
    with pytest.raises(UserError) as caught:
        load_study(path, overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_all_mistakes_are_named_at_once_each_with_its_source(tmp_path: Path) -> None:
    text = "topk: 3\nscenes: many\nconditions: [clean, LL9, MB7]\nvlms: [clipp, siglip]\n"
    message = refused(write(tmp_path, text + "count_hedged: yes"), {"seed": "x", "bach_size": "2"})
    file, _, command = message.partition("; -p: ")
    for said in ("'topk' (did you mean 'top_k'?)", "scenes must be a whole number, not 'many'",
                 "unknown condition 'LL9'", "unknown condition 'MB7'", "'clipp'",
                 "count_hedged must be true or false, not 'yes'"):  # fmt: skip
        assert said in file
    assert file.startswith(f"{tmp_path / 'x.yaml'}: ") and file.count(str(tmp_path)) == 1
    assert "seed must be a whole number" in command and "'batch_size'" in command


def test_what_is_right_survives(tmp_path: Path) -> None:
    text = "scenes: many\nseed: 4\nconditions: [clean, LL9, MB1]\nsegmenters: [segfomer, segformer]"
    draft = read_study(write(tmp_path, text + "\nvlms: [nothing]"))
    assert (draft.study.scenes, draft.study.seed) == (100, 4)
    assert draft.study.conditions == ("clean", "MB1")
    assert (draft.study.segmenters, draft.study.vlms) == (("segformer",), ())
    assert draft.wrong == {"scenes", "conditions", "segmenters", "vlms"}


def test_hundreds_of_mistakes_stay_one_readable_line(tmp_path: Path) -> None:
    text = "\n".join(f"key{number}: 1" for number in range(300))
    message = refused(write(tmp_path, text))
    assert message.endswith("and 288 more") and len(message) < 40_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scenes: 010", "010 is octal to some readers: write 10"),
        ("seed: 00", "octal"),
        ("noise_sigma: [0.1, 01, 0.2]", "octal"),
        ("count_hedged: yes", "true or false, not 'yes'"),
        ("count_hedged: off", "true or false, not 'off'"),
        ("scenes: 1:30", "a whole number, not '1:30'"),
        ("scenes: 1_000", "a whole number, not '1_000'"),
        ("scenes: 1e2", "a whole number, not 100.0"),
        ("seed: 0b11", "a whole number"),
        ("scenes: 5\nscenes: 6", "'scenes' stands twice (line 2)"),
        ("epsilon: .inf", "a finite number"),
        ("min_share: .nan", "a finite number"),
        ("noise_sigma: [0, .inf, 0]", "a finite number"),
        ("top_k: true", "a whole number"),
        ("segmenters: []", "not an empty one"),
        ("critical_classes: [road]", "'road' cannot be mentioned"),
        ("critical_classes: [pedestrian, sky]", "'sky' cannot be mentioned"),
        ("split: dev", "unknown split 'dev'"),
        ("image_size: [10]", "height and width"),
        ("image_size: 512", "image_size"),
        ("dataset: camvid\nimage_size: [0, 5]", "at least 1"),
        ("image_size: [256, 512]", "256 x 512"),
        ("camera_height: 1.2", "camera_height: streetworld's safety label is made of its geometry"),
        ("dataset: camvid\ncamera_focal: 1.1", "camera_height and camera_pitch missing: camvid"),
        ("dataset: cityscapes\ncamera_height: 0", "camera_height must be above 0"),
        ("dataset: cityscapes\ncamera_pitch: 2", "camera_pitch must be below 0.5"),
        ("data_root: 5", "data_root must be text"),
        ("records_root: 's4://a'", "records_root: no storage s4"),
    ],
)
def test_each_kind_of_mistake(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused(write(tmp_path, text))


def test_text_of_version_1_1_is_plain_text(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, "study: 2026-01-05\nseed: 0o17\nepsilon: 1e-6"))
    assert (study.study, study.seed, study.epsilon) == ("2026-01-05", 15, 1e-6)
    assert load_study(write(tmp_path, "study: no")).study == "no"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"scenes": "010"}, "'010'"), ({"seed": "1:30"}, "'1:30'"),
        ({"count_hedged": "yes"}, "true or false, not 'yes'"),
        ({"noise_sigma": "0,01,0"}, "noise_sigma"), ({"image_size": "5"}, "image_size"),
        ({"critical_classes": "road,car"}, "'road' cannot be mentioned"),
    ],
)  # fmt: skip
def test_the_command_line_reads_the_same_way(overrides: dict[str, object], words: str) -> None:
    message = refused(Path("params/smoke.yaml"), overrides)
    assert message.startswith("-p: ") and words in message


def test_sizes_and_nothing_from_the_command_line() -> None:
    given = {
        "dataset": "camvid",
        "image_size": "128,256",
        "data_root": "/a: b",
        "class_map": "null",
    }
    study = load_study("params/smoke.yaml", given)
    assert (study.image_size, study.data_root, study.class_map) == ((128, 256), "/a: b", None)
    again = load_study("params/smoke.yaml", {"dataset": "camvid", "image_size": "null"})
    assert again.image_size is None


@pytest.mark.parametrize("name", sorted(set(LANGUAGE_CLASSES) - set(OBJECT_CLASSES)))
def test_a_critical_class_that_no_answer_can_mention_names_those_that_can(
    tmp_path: Path, name: str
) -> None:
    message = refused(write(tmp_path, f"critical_classes: [car, {name}]"))
    assert repr(name) in message and all(other in message for other in OBJECT_CLASSES)


@pytest.mark.parametrize("name", OBJECT_CLASSES)
def test_every_other_class_can_be_critical(tmp_path: Path, name: str) -> None:
    study = load_study(write(tmp_path, f"critical_classes: [{name}]"))
    assert study.critical_classes == (name,)


def test_a_critical_class_that_is_never_present_names_those_that_can_be(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text("classes: {0: road, 1: car, 2: person}")
    folder = f"dataset: folder\nclass_map: {tmp_path / 'map.yaml'}\n"
    for text, never, can in (
        ("dataset: camvid\ncritical_classes: [truck]", "'truck'", "pedestrian, cyclist, car"),
        ("dataset: camvid\ncritical_classes: [car, bus, train]", "'bus', 'train'", "cyclist"),
        (folder + "critical_classes: [bicycle]", "'bicycle'", "pedestrian, car"),
    ):
        message = refused(write(tmp_path, text))
        assert f"{never} cannot be present" in message and can in message.partition("among")[2]
    for fine in ("dataset: camvid", "dataset: camvid\ncritical_classes: [car]", folder,
                 folder + "critical_classes: [pedestrian, car]",
                 "critical_classes: [truck]"):  # fmt: skip
        assert load_study(write(tmp_path, fine))


def test_a_study_made_in_code_is_checked_too() -> None:
    for wrong in ({"top_k": 0}, {"scenes": "5"}, {"tpo_k": 1}, {"conditions": ("LL1",)}):
        with pytest.raises(pydantic.ValidationError):
            Study(**wrong)
        with pytest.raises((pydantic.ValidationError, TypeError)):
            dataclasses.replace(Study(), **wrong)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Study().top_k = 5


def test_catalogues_and_class_maps_are_read_alike(tmp_path: Path) -> None:
    entry = "library: open_clip, checkpoint: a/b"
    for text, words in (
        (f"m: {{{entry}}}\nm: {{{entry}}}", "'m' stands twice"),
        (f"m: {{{entry}, revision: 0123456}}", "octal"),
        (f"m: {{{entry}, licence: 5}}\nn: {{library: opn_clip}}", "put it in quotes.*model 'n'"),
        ("m: {library: openclip, checkpoint: 5, shwn: x}", "'openclip'.*checkpoint.*'shwn'"),
    ):
        with pytest.raises(UserError, match=words) as error:
            load_catalogue(write(tmp_path, text))
        assert "\n" not in str(error.value)
    for text, words in (
        ("classes: {010: road}", "octal"), ("classes: {7: road, 0x7: sky}", "7 stands twice"),
        ("classes: {0: raod, 1: ski, 2: no}", "'raod'.*'ski'.*'no'"),
        ("classes: {0: road}\nlabels: 3\nimage: x", "labels must be text.*'image'"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=words):
            load_class_map(write(tmp_path, text))
