"""A study that one begins: the values of another, every key with its meaning, questions."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vlmis_utils.__main__ import main
from vlmis_utils.core.errors import UserError
from vlmis_utils.core.strict_yaml import read_yaml
from vlmis_utils.protocol import new_study as new
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.protocol.study import KEYS, Study, flat
from vlmis_utils.report.pages import page_keys

SOURCES = sorted(path.stem for path in Path("params").glob("*.yaml") if path.stem != "models")


def begun(tmp_path: Path, source: str, name: str = "mine") -> new.New:
    copied = shutil.copy(f"params/{source}.yaml", tmp_path / f"{source}.yaml")
    return new.new_study(name, copied, page_keys)


def test_every_key_is_explained_or_left_at_its_default(tmp_path: Path) -> None:
    explained = set(read_yaml(new.COMMENTED))
    assert explained <= set(KEYS)
    made = begun(tmp_path, "streetworld")
    assert set(read_yaml(made.path)) == explained


@pytest.mark.parametrize("source", SOURCES)
def test_a_begun_study_is_the_one_it_began_from(tmp_path: Path, source: str) -> None:
    made = begun(tmp_path, source)
    known = flat(load_study(f"params/{source}.yaml", page_keys=page_keys))
    mine = flat(load_study(made.path, page_keys=page_keys))
    mine.pop("explorer_pictures", None), known.pop("explorer_pictures", None)
    assert mine == known | {"study": "mine"}


@pytest.mark.parametrize("source", SOURCES)
def test_each_question_stands_above_the_key_that_answers_it(tmp_path: Path, source: str) -> None:
    made = begun(tmp_path, source)
    lines = made.path.read_text(encoding="utf-8").splitlines()
    asked = []
    for place, line in enumerate(lines):
        if line.startswith(new.QUESTION):
            after = next(text for text in lines[place + 1 :] if not text.startswith("#"))
            asked.append(after.partition(":")[0])
    study = load_study(f"params/{source}.yaml", page_keys=page_keys)
    assert asked == [key for key in new.questions(study)] and len(asked) == len(made.asked)
    assert max(map(len, lines)) <= 130


def test_photographs_are_asked_about_and_streetworld_is_not() -> None:
    photographs = new.questions(Study(dataset="camvid"))
    assert {"data_root", "camera_focal", "explorer_pictures"} <= set(photographs)
    assert "truck" not in photographs["critical_classes"]
    assert "data_root" not in new.questions(Study())
    assert "camera_focal" not in new.questions(Study(dataset="cityscapes"))
    assert "max_cost" not in photographs


@pytest.mark.parametrize("name", ["", "a/b", ".hidden", "../x"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="cannot name a study"):
        begun(tmp_path, "smoke", name)


def test_the_command_prints_the_questions_and_keeps_what_is_there(
    tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shutil.copy("params/camvid.yaml", tmp_path / "camvid.yaml")
    assert main(["new", "mine", "--from", str(source)]) == 0
    said = capsys.readouterr().out
    assert "10 questions" in said and "1. In which folder do the data lie" in said
    before = (tmp_path / "mine.yaml").read_bytes()
    assert main(["new", "mine", "--from", str(source)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "mine.yaml").read_bytes() == before
