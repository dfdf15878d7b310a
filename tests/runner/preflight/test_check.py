"""What `vlmis check` finds: all problems at once, and none where there are none."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image
from safetensors.numpy import save_file

from tests.helpers import fakes
from tests.helpers.hub import Hub
from vlmis_utils.__main__ import main
from vlmis_utils.datasets.registry import open_scenes
from vlmis_utils.models.checkpoints import count_parameters, stated_parameters
from vlmis_utils.protocol.study import Study, flat
from vlmis_utils.records.run_info import merge_run
from vlmis_utils.records.schema import SCHEMAS
from vlmis_utils.records.store import Store
from vlmis_utils.runner.preflight import check, dataset, machine, models, runtime
from vlmis_utils.runner.preflight.finding import Finding

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "CITYSCAPES_DATASET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study on a tiny dataset, with checkpoints of a few numbers."""
    made = fakes.make_study(tmp_path)
    for folder in (tmp_path / "checkpoints").iterdir():
        weigh(folder)
    (tmp_path / "checkpoints/scorer/open_clip_config.json").write_text("{}")
    return made


def weigh(folder: Path, file: str = "model.safetensors") -> Path:
    save_file({"a": np.zeros((3, 5), np.float32), "b": np.zeros(2, np.float16)}, folder / file)
    return folder / file


def of(findings: list[Finding], topic: str) -> list[Finding]:
    return [finding for finding in findings if finding.topic == topic]


def failures(findings: list[Finding]) -> set[str]:
    return {finding.topic for finding in findings if finding.status == "fail"}


def test_a_study_that_can_run_has_no_problem(study: Study) -> None:
    found = check.check(study)
    assert not check.failed(found) and "7 scenes" in of(found, "dataset")[0].found
    assert not Path(study.build_root).exists()


def test_the_embedded_smoke_study_ends_with_0(capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VLMIS_CACHE", str(tmp_path))
    words = ["check", "params/smoke.yaml", "--device", "cpu", "-p", "build_root", str(tmp_path)]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "0 of 6 scenes rendered" in text and "no problems" in text and "-> " not in text
    assert not list(tmp_path.iterdir())  # nothing was rendered


def test_a_broken_set_up_shows_all_problems_at_once(capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(10, 9, 1))
    given = {
        "study": "broken", "dataset": "cityscapes", "data_root": str(tmp_path / "nowhere"),
        "split": "val", "segmenters": ["deeplabv3plus-resnet101-cityscapes", "segfromer"],
        "vlms": ["clip", "gpt-4o"], "device": "cuda", "topk": 3, "scenes": "many",
        "build_root": str(tmp_path / "build"),
    }  # fmt: skip
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(given))
    assert main(["check", str(path)]) == 2
    text = " ".join(capsys.readouterr().out.split())
    for said in (
        "did you mean 'top_k'", "scenes must be a whole number", "did you mean 'segformer'",
        f"no folder {tmp_path / 'nowhere'}", "set data_root", "vlmis convert deeplabv3plus",
        "environment variable OPENAI_API_KEY", "device 'cuda' is not on this machine",
        "1 kB free", "-> make room",
    ):  # fmt: skip
        assert said in text, said
    assert text.endswith("8 problems, no warnings")


@pytest.mark.parametrize("content", [None, "a: [1", "- 1"])
def test_a_file_that_is_no_yaml_still_shows_the_machine(tmp_path: Path, content) -> None:
    path = tmp_path / "x.yaml"
    if content:
        path.write_text(content)
    found = check.check_file(path)
    assert failures(found) == {"parameters"} and of(found, "disk") and of(found, "book")
    assert not of(found, "dataset") and not of(found, "clip")


def test_good_keys_survive_bad_ones(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    given = flat(study) | {"top_k": 99, "conditions": ["clean", "LL9", "MB1"], "vlms": ["none"]}
    path.write_text(yaml.safe_dump(given))
    found = check.check_file(path)
    assert failures(found) == {"parameters"} and len(of(found, "parameters")) == 3
    assert of(found, "blocks") and not of(found, "talker") and not of(found, "clip")
    assert "7 scenes" in of(found, "dataset")[0].found


def test_fewer_scenes_than_asked_are_a_warning(study: Study) -> None:
    [found] = of(check.check(replace(study, scenes=20)), "dataset")
    assert found.status == "warn" and "7 scenes, not the 20" in found.found


def test_turned_and_squeezed_pictures_are_said(study: Study) -> None:
    assert not of(check.check(study), "images")
    first = sorted(Path(study.data_root, "test").iterdir())[0]
    exif = Image.Exif()
    exif[274] = 3
    Image.open(first).save(first, exif=exif)
    [found] = of(check.check(study), "images")
    assert found.status == "ok" and "1 of 7 images" in found.found and first.name in found.found
    assert not of(check.check(replace(study, image_size=(18, 24))), "image_size")
    [found] = of(check.check(replace(study, image_size=(24, 24))), "image_size")
    assert found.status == "warn" and "proportion" in found.remedy


def test_damaged_label_maps_are_found_in_the_sample(study: Study) -> None:
    for path in sorted(Path(study.data_root, "testannot").iterdir())[-1:]:
        path.write_bytes(b"no picture")
    found = check.check(study)
    assert failures(found) == {"labels"} and "a_06.png" in of(found, "labels")[0].found


def test_parameters_are_counted_from_headers(tmp_path: Path) -> None:
    path = weigh(tmp_path)
    assert count_parameters(tmp_path) == 17
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="cut off"):
        count_parameters(tmp_path)
    weigh(tmp_path)
    index = {"weight_map": {"a": "model.safetensors", "z": "part-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match="part-2.safetensors is missing"):
        count_parameters(tmp_path)
    assert [stated_parameters(w) for w in ("151 M", "5.2 M", "", "many")] == [151e6, 5.2e6] + [
        None
    ] * 2


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_an_incomplete_checkpoint_is_a_problem(study: Study, tmp_path: Path, file: str) -> None:
    (tmp_path / "checkpoints/talker" / file).unlink()
    assert failures(check.check(study)) == {"talker"}


def hub_study(study: Study, folder: Path, **fields: object) -> Study:
    entry = {"library": "transformers-vlm", "checkpoint": "owner/tiny", **fields}
    (folder / "models.yaml").write_text(yaml.safe_dump({"tiny": entry}))
    return replace(study, segmenters=(), vlms=("tiny",))


def test_a_hub_checkpoint_is_asked_for_and_not_fetched(study: Study, tmp_path: Path) -> None:
    repository = tmp_path / "hub/owner/tiny"
    repository.mkdir(parents=True)
    (repository / "config.json").write_text("{}")
    weights = weigh(repository)
    with Hub(tmp_path / "hub", tmp_path / "cache") as server:
        commit = server._commit("owner/tiny", "main")
        pinned = hub_study(study, tmp_path, revision=commit, parameters="7 B")
        found, needs = models.model_findings(pinned)
        assert [f.status for f in found] == ["ok"] and "can be fetched" in found[0].found
        assert needs[0].download == weights.stat().st_size and needs[0].source == "catalogue"
        assert not server.asked(ending=".safetensors")  # heads alone
        with server.offline():
            found, _ = models.model_findings(pinned)
            assert found[0].status == "fail" and "without" in found[0].remedy
        server.gate("owner/tiny")
        found, _ = models.model_findings(pinned)
        assert found[0].status == "fail" and "is gated" in found[0].found
        server._repositories["owner/tiny"].token = None
        unpinned = hub_study(study, tmp_path)
        assert models.model_findings(unpinned)[0][0].status == "warn"
        wrong = hub_study(study, tmp_path, checkpoint="owner/tony")
        assert "no owner/tony" in models.model_findings(wrong)[0][0].found
        from vlmis_utils.models import hub

        hub.fetch("tiny", "owner/tiny", commit)
        with server.offline():
            found, needs = models.model_findings(hub_study(study, tmp_path, revision=commit))
        assert found[0].found.endswith("in the cache") and needs[0].memory in (68, 34)


def test_pickled_weights_get_the_command_that_converts_them(study: Study, tmp_path: Path) -> None:
    repository = tmp_path / "hub/owner/tiny"
    repository.mkdir(parents=True)
    (repository / "pytorch_model.bin").write_bytes(b"pickled")
    with Hub(tmp_path / "hub", tmp_path / "cache"):
        found, _ = models.model_findings(hub_study(study, tmp_path))
    assert found[0].status == "fail"
    assert found[0].remedy == "vlmis convert transformers owner/tiny checkpoints/owner/tiny"


def test_hosted_models_need_key_and_prices_and_are_not_asked(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosted = hub_study(study, tmp_path, library="openai")
    assert "OPENAI_API_KEY" in models.model_findings(hosted)[0][0].remedy
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "ftp://x")
    assert models.model_findings(hosted)[0][0].status == "fail"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    [found] = models.model_findings(hosted)[0]
    assert found.status == "warn" and "no limit" in found.found and "sk-" not in repr(found)
    assert models.model_findings(replace(hosted, max_requests=5))[0][0].status == "ok"
    assert "prices" in models.model_findings(replace(hosted, max_cost=5.0))[0][0].found


def test_weights_that_the_gpu_cannot_hold_are_a_problem(study: Study, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 200))
    needs = [
        models.Need(n, m, "checkpoint") for n, m in zip("abcd", (50, 90, 110, None), strict=True)
    ]
    found = machine._memory("cuda", needs, study)
    assert [finding.status for finding in found] == ["ok", "warn", "fail", "warn"]


def test_the_disk_formula_covers_the_measured_study() -> None:
    measured = 8_611_000  # bytes of shards and tables of the embedded study
    assert measured < machine.record_bytes(Study()) < 10 * measured
    double = machine.record_bytes(Study(scenes=200))
    assert double == 2 * machine.record_bytes(Study())


def test_rendered_scenes_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLMIS_CACHE", str(tmp_path))
    scenes = open_scenes(Study(scenes=3))
    assert dataset.missing_scenes(scenes) == 3
    scenes[0].path.parent.mkdir(parents=True)
    scenes[0].path.touch()
    assert dataset.missing_scenes(scenes) == 2


def test_time_comes_from_records_of_this_machine(study: Study) -> None:
    assert set(runtime.expected_seconds(study, "cpu").values()) == {None}
    store = Store(study.folder)
    for number, seconds in enumerate((1.0, 3.0)):
        row = {c.name: None for c in SCHEMAS["segmentation"]} | {
            "segmenter": "blocks", "scene_id": f"camvid-test-{number}", "condition": "clean",
            "confusion": [0], "corridor_confusion": [0], "seconds": seconds,
        }  # fmt: skip
        store.write("segmentation", f"k{number}", pd.DataFrame([row]), {"model": "blocks"})
    expected = runtime.expected_seconds(replace(study, workers=2), "cpu")
    assert expected["blocks"] == pytest.approx(2.0 * 7 * 4 / 2) and expected["talker"] is None
    merge_run(study.records, {"machine": {"processor": "another"}})
    assert runtime.expected_seconds(study, "cpu")["blocks"] is None


def test_a_report_is_aligned_and_counts() -> None:
    lines = check.report([Finding("a", "ok", "x"), Finding("long", "fail", "y", "z")])
    assert lines.splitlines() == [
        "ok    a     x", "fail  long  y", "            -> z", "1 problem, no warnings",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found", "remedy"),
    [
        ("device 'x' is not here: use 'device: auto'", "device 'x' is not here",
         "use 'device: auto'"),
        ("a.yaml: unknown key 'b' (known: c)", "a.yaml: unknown key 'b' (known: c)", "mend"),
        ("model 'm': no file: fetch it", "no file", "fetch it"),
    ],
)  # fmt: skip
def test_an_error_is_cut_into_what_and_remedy(text: str, found: str, remedy: str) -> None:
    made = Finding.of("m", ValueError(text), "mend")
    assert (made.found, made.remedy) == (found, remedy)
