"""Parameter files: every wrong key or value is one line that names it and the remedy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from vlmis_utils.core.errors import UserError
from vlmis_utils.corruptions.corrupt import CONDITIONS, NOISE_SIGMA
from vlmis_utils.protocol import classes
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.protocol.study import KEYS, Study, flat

PARAMS = sorted(p for p in Path("params").glob("*.yaml") if p.name != "models.yaml")


def write(folder: Path, **keys: object) -> Path:
    path = folder / "x.yaml"
    path.write_text(yaml.safe_dump(keys))
    return path


@pytest.mark.parametrize("path", PARAMS, ids=str)
def test_every_parameter_file_loads_and_is_flat(path: Path) -> None:
    study = load_study(path)
    assert study.study == path.stem
    read = yaml.safe_load(path.read_text())
    scalar = (str, int, float, bool, type(None))
    for value in read.values():
        items = value if isinstance(value, list) else [value]
        assert all(isinstance(item, scalar) for item in items)


def test_the_default_study_is_the_embedded_one_and_is_large_enough() -> None:
    study = load_study("params/streetworld.yaml")
    assert replace(study, sequences=None) == Study()
    assert Path(study.sequences).exists()
    assert study.scenes >= 100
    assert study.conditions == CONDITIONS and len(CONDITIONS) == 10
    assert study.noise_sigma == NOISE_SIGMA
    assert len(study.segmenters) == len(study.vlms) == 3
    assert set(yaml.safe_load(Path("params/streetworld.yaml").read_text())) == set(KEYS)


def test_flat_parameters_make_the_same_study_again(tmp_path: Path) -> None:
    study = load_study("params/smoke.yaml", {"top_k": 7})
    assert load_study(write(tmp_path, **flat(study))) == study


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"topk": 3}, ["'topk'", "top_k"]),
        ({"scenes": "many"}, ["scenes", "a whole number", "'many'"]),
        ({"scenes": 2.5}, ["scenes", "a whole number", "2.5"]),
        ({"scenes": True}, ["scenes", "a whole number", "True"]),
        ({"scenes": 0}, ["scenes", "at least 1"]),
        ({"count_hedged": 1}, ["count_hedged", "true or false"]),
        ({"conditions": "clean"}, ["conditions", "a list"]),
        ({"conditions": ["LL1"]}, ["conditions", "clean"]),
        ({"conditions": ["clean", "LL4"]}, ["condition 'LL4'", "LL3"]),
        ({"conditions": ["clean", "LL1", "LL1"]}, ["conditions", "twice"]),
        ({"noise_sigma": [0.1, 0.2]}, ["noise_sigma", "three"]),
        ({"noise_sigma": {"LL1": 1}}, ["noise_sigma", "a mapping"]),
        ({"segmenters": ["segfomer"]}, ["'segfomer'", "segformer"]),
        ({"segmenters": ["clip"]}, ["'clip'", "vlm"]),
        ({"vlms": ["clipp"]}, ["'clipp'", "clip"]),
        ({"critical_classes": ["pedestrians"]}, ["'pedestrians'", "pedestrian"]),
        ({"dataset": "cityscape"}, ["dataset 'cityscape'", "cityscapes"]),
        ({"dataset": "folder"}, ["folder", "class_map", "bdd100k.yaml"]),
        ({"dataset": "folder", "class_map": "nowhere.yaml"}, ["nowhere.yaml"]),
        ({"class_map": "params/class_maps/kitti.yaml"}, ["class_map", "'dataset: folder'"]),
        ({"parser": "scope"}, ["parser 'scope'", "scoped"]),
        ({"blur_scale": "abs"}, ["blur_scale 'abs'"]),
        ({"top_k": 11}, ["top_k", "10"]),
        ({"epsilon": 0.0}, ["epsilon", "above 0"]),
        ({"study": "a/b"}, ["study", "folder name"]),
        ({"study": None}, ["study", "text", "nothing"]),
        ({"models": "nowhere.yaml"}, ["nowhere.yaml"]),
    ],
)
def test_bad_input_is_one_line_that_names_it(
    tmp_path: Path, keys: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(UserError) as caught:
        load_study(write(tmp_path, **keys))
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("text", "words"),
    [("a: [", "cannot be read as YAML"), ("- 1\n- 2", "key: value"), ("just words", "key: value")],
)
def test_a_file_that_is_not_flat_yaml(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        load_study(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_a_missing_file_names_the_closest() -> None:
    with pytest.raises(UserError, match=r"params/smoke\.yaml"):
        load_study("params/smok.yaml")


def test_an_empty_file_is_the_default_study(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("")
    assert load_study(path) == Study()


def test_overrides_are_read_by_the_type_of_their_key() -> None:
    given = {
        "top_k": "3", "conditions": "clean,LL3", "noise_sigma": "[0, 0.1, 0.2]", "study": "12",
        "epsilon": "1e-9", "count_hedged": "true", "data_root": "/somewhere",
    }  # fmt: skip
    study = load_study("params/smoke.yaml", given)
    assert (study.top_k, study.study, study.epsilon) == (3, "12", 1e-9)
    assert study.conditions == ("clean", "LL3")
    assert study.noise_sigma == (0.0, 0.1, 0.2)
    assert study.count_hedged is True and study.data_root == "/somewhere"


def test_a_wrong_override_says_that_it_came_from_the_command_line() -> None:
    with pytest.raises(UserError, match=r"-p: top_k must be a whole number, not 'x'"):
        load_study("params/smoke.yaml", {"top_k": "x"})


def test_parameters_of_pages_are_kept_apart(tmp_path: Path) -> None:
    path = write(tmp_path, shown_scene=3)
    with pytest.raises(UserError, match="shown_scene"):
        load_study(path)
    study = load_study(path, page_keys=lambda: frozenset({"shown_scene"}))
    assert study.pages == {"shown_scene": 3} and flat(study)["shown_scene"] == 3


def test_every_key_is_documented() -> None:
    for key in KEYS:
        assert f"{key}:" in Study.__doc__ or f"{key}," in Study.__doc__, key


def test_defaults_agree_with_the_taxonomy() -> None:
    assert Study().critical_classes == classes.CRITICAL_CLASSES
