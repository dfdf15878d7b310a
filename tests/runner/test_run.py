"""The engine on fake models: what is computed once is never computed again."""

from __future__ import annotations

import multiprocessing
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.helpers import children, fakes
from vlmis_utils.analysis.results import Results
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.protocol.classes import pixel_counts
from vlmis_utils.protocol.datasets import annotated_classes
from vlmis_utils.protocol.image_corridor import corridor_mask
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.records.run_info import read_run
from vlmis_utils.records.schema import SCHEMAS
from vlmis_utils.records.store import BLANK
from vlmis_utils.runner import run as engine
from vlmis_utils.runner import tasks
from vlmis_utils.runner.context import open_context

SCENES, CONDITIONS, SHARDS = 7, 4, 3


def tables(study) -> dict[str, pd.DataFrame]:
    return {t: pd.read_parquet(study.records / f"{t}.parquet") for t in engine.TABLES}


def scenes_of(study):
    return open_context(study, fakes.LOADERS).scenes


def run(study, **more) -> None:
    engine.run(study, loaders=fakes.LOADERS, **more)


def same(first: dict[str, pd.DataFrame], second: dict[str, pd.DataFrame]) -> bool:
    for name in first:
        a, b = (f[name].drop(columns="seconds", errors="ignore") for f in (first, second))
        pd.testing.assert_frame_equal(a, b)
    return True


def test_a_run_records_everything_once(tmp_path: Path, counts) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    run(study)
    frames = tables(study)
    sizes = {name: len(frame) for name, frame in frames.items()}
    assert sizes == {
        "scenes": SCENES,
        "conditions": SCENES * (CONDITIONS + 1),
        "segmentation": SCENES * CONDITIONS,
        "answers": 2 * SCENES * (CONDITIONS + 1) * len(PROMPTS),
    }
    for name, frame in frames.items():
        assert list(frame.columns) == [c.name for c in SCHEMAS[name]]
    keys = ["vlm", "scene_id", "condition", "prompt"]
    assert not frames["answers"].duplicated(keys).any()
    # the blank image is shown once a shard, as it is the same for all scenes
    assert counts() == {
        "segmenter": SCENES * CONDITIONS,
        "talker": SCENES * CONDITIONS + SHARDS,
        "scorer": SCENES * CONDITIONS + SHARDS,
    }


def test_what_is_recorded_is_true(tmp_path: Path) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    run(study)
    frames = tables(study)
    scene = scenes_of(study)[2]
    row = frames["scenes"].set_index("scene_id").loc[scene.scene_id]
    assert list(row.pixel_counts) == list(scene.pixel_counts())
    conditions = frames["conditions"].set_index(["scene_id", "condition"])
    hidden = conditions.loc[(scene.scene_id, "OCC3")]
    _, _, height, width = hidden.occluder
    assert sum(row.pixel_counts) - sum(hidden.visible_counts) == height * width
    clean = conditions.loc[(scene.scene_id, "clean")]
    assert clean.occluder is None and pd.isna(clean.psnr)
    assert clean.image_sha256 == row.image_sha256
    grey = conditions.xs(BLANK, level="condition").image_sha256
    assert grey.nunique() == 1
    counted = frames["segmentation"].set_index(["scene_id", "condition"])
    assert sum(counted.confusion[scene.scene_id, "LL3"]) == sum(row.pixel_counts)
    inside = scene.labels()[corridor_mask(*scene.labels().shape)]
    assert list(row.corridor_counts) == list(pixel_counts(inside))
    part = np.reshape(counted.corridor_confusion[scene.scene_id, "LL3"], (19, 19))
    assert part.sum(axis=1).tolist() == row.corridor_counts.tolist()


def test_a_second_run_and_changes_of_analysis_run_no_model(tmp_path: Path, counts) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    run(study)
    first = tables(study)
    counts()
    reread = {
        "top_k": 5, "parser": "keyword", "count_hedged": True, "min_share": 0.01,
        "critical_classes": ("car",), "epsilon": 0.1, "bootstrap": 99,
    }  # fmt: skip
    for key, value in reread.items():
        run(replace(study, **{key: value}))
    assert counts() == {}
    assert same(first, tables(study))


def test_only_what_changed_is_computed(tmp_path: Path, counts) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    run(study)
    counts()
    run(replace(study, noise_sigma=(0.02, 0.04, 0.09)))  # LL3 alone looks different
    assert counts() == {"segmenter": SCENES, "talker": SCENES, "scorer": SCENES}
    run(replace(study, conditions=("clean", "MB3", "MB1")))
    assert counts() == {"segmenter": SCENES, "talker": SCENES, "scorer": SCENES}
    run(study)
    assert counts() == {}


@pytest.fixture
def warm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes are forked from one that has everything imported."""
    context = children.context()
    monkeypatch.setattr(multiprocessing, "get_context", lambda name: context)


def test_results_do_not_depend_on_batches_shards_or_processes(tmp_path: Path, warm: None) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    run(study)
    first = tables(study)
    for number, changes in enumerate(
        ({"batch_size": 5}, {"shard_size": 2}, {"workers": 2, "shard_size": 4})
    ):
        other = replace(study, study=f"other{number}", **changes)
        run(other)
        assert same(first, tables(other))


def test_another_checkpoint_is_another_question(tmp_path: Path, counts, monkeypatch) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    run(study)
    counts()
    (tmp_path / "checkpoints" / "talker" / "config.json").write_text('{"other": 1}')
    monkeypatch.setattr(fakes.FakeVlm, "digest", "x", raising=False)
    monkeypatch.setattr(
        fakes.FakeVlm, "__init__", lambda self, name: self.__dict__.update(name=name, digest="new")
    )
    run(study)
    assert counts() == {"talker": SCENES * CONDITIONS + SHARDS}


@pytest.mark.parametrize("failing", (2, 12, 20, 27, 55))
def test_an_interruption_repeats_at_most_one_shard(
    tmp_path: Path, counts, monkeypatch, failing: int
) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    calls, whole_rows = 0, tasks.rows

    def interrupted(task):
        nonlocal calls
        calls += 1
        if calls == failing:
            whole_rows(task)  # computed, never written
            raise KeyboardInterrupt
        return whole_rows(task)

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "rows", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(study)
    before = counts()
    run(study)
    after = counts()
    whole = 3 * SCENES * CONDITIONS + 2 * SHARDS
    assert sum(before.values()) + sum(after.values()) - whole <= study.shard_size


def test_a_killed_process_leaves_whole_shards_only(tmp_path: Path) -> None:
    study = fakes.make_study(tmp_path, SCENES, shard_size=1, workers=2)
    process = children.context().Process(target=children.run_shared, args=(study,))
    process.start()
    deadline = time.monotonic() + 120
    while len(list(study.folder.glob("shards/*/*.parquet"))) < 12:
        assert process.is_alive() and time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    for path in study.folder.glob("shards/*/*.parquet"):
        pd.read_parquet(path)
    run(replace(study, workers=1))
    assert len(tables(study)["scenes"]) == SCENES


def test_damaged_shards_are_computed_again_and_others_are_not(
    tmp_path: Path, counts, capsys
) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    run(study)
    first = tables(study)
    counts()
    shard = sorted((study.folder / "shards" / "segmentation").glob("*.parquet"))[0]
    shard.write_bytes(shard.read_bytes()[:100])
    run(study)
    assert same(first, tables(study))
    seen = counts()
    assert set(seen) == {"segmenter"} and seen["segmenter"] <= study.shard_size
    assert f"{shard} was damaged" in capsys.readouterr().err


def test_a_truncated_image_is_one_line_and_loses_nothing(tmp_path: Path) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    image = tmp_path / "data" / "test" / "a_06.png"
    whole = image.read_bytes()
    image.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RunError) as caught:
        run(study)
    assert str(image) in str(caught.value) and "\n" not in str(caught.value)
    recorded = set((study.folder / "shards").rglob("*.parquet"))
    assert recorded
    image.write_bytes(whole)
    run(study)
    assert recorded <= set((study.folder / "shards").rglob("*.parquet"))


def test_unreadable_files_in_the_middle_of_500_are_named_and_the_others_kept(
    tmp_path: Path, counts
) -> None:
    changes = {"conditions": ("clean",), "shard_size": 50, "batch_size": 50}
    study = fakes.make_study(tmp_path, 500, **changes)
    scenes = scenes_of(study)
    photograph, label = scenes[251].image_path, scenes[297].label_path
    whole = {path: path.read_bytes() for path in (photograph, label)}
    photograph.write_bytes(whole[photograph][:200])
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(label)
    with pytest.raises(RunError) as caught:
        run(study)
    said = str(caught.value)
    assert f"scene {scenes[251].scene_id}: cannot read {photograph}" in said
    assert f"scene {scenes[297].scene_id}: {label} is 3 x 3 pixels" in said and "\n" not in said
    assert counts() == {}  # found before any model runs
    kept = {p: p.stat().st_mtime_ns for p in (study.folder / "shards").rglob("*.parquet")}
    assert len(kept) == 9  # of the ten shards of scenes
    for path, content in whole.items():
        path.write_bytes(content)
    missing = [unit for unit in engine.plan(study, fakes.LOADERS) if unit.table == "scenes"]
    assert [unit.start for unit in missing if not unit.recorded] == [250]
    run(study, tables={"segmentation"})
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())
    assert counts() == {"segmenter": 500}


def test_worker_processes_name_every_unreadable_file(tmp_path: Path, warm: None) -> None:
    study = fakes.make_study(tmp_path, SCENES, workers=2, shard_size=SCENES)
    for number in (1, 5):
        (tmp_path / "data" / "test" / f"a_0{number}.png").write_bytes(b"")
    with pytest.raises(RunError, match="scene camvid-test-a_01: .*; scene camvid-test-a_05: "):
        run(study)


def test_many_unreadable_files_are_counted(tmp_path: Path) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    for path in (tmp_path / "data" / "test").iterdir():
        path.write_bytes(b"")
    with pytest.raises(RunError, match="a_00: .*a_02: .*; and 4 more$"):
        run(study)


def test_a_run_knows_what_its_dataset_annotates(tmp_path: Path) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    run(study, tables={"segmentation"})
    assert read_run(study.records)["annotated_classes"] == sorted(annotated_classes("camvid"))


def test_another_class_map_is_another_question(tmp_path: Path, counts) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    root, class_map = tmp_path / "data", tmp_path / "map.yaml"
    (root / "test").rename(root / "images")
    (root / "testannot").rename(root / "labels")
    class_map.write_text("classes: {0: sky, 3: road, 8: car, 9: person}")
    study = replace(study, dataset="folder", class_map=str(class_map))
    run(study)
    assert tables(study)["scenes"].pixel_counts.map(lambda c: c[13]).max() > 0
    counts()
    class_map.write_text("classes: {0: sky, 3: road, 8: truck, 9: person}")
    run(study)
    shown = Results(study.records).scenes.pixel_counts
    assert shown.map(lambda c: c[13]).max() == 0 < shown.map(lambda c: c[14]).max()
    assert Results(study.records).reading.vocabulary == ("pedestrian", "truck")
    # the last shard, one scene without a car, means what it meant
    assert counts()["segmenter"] == (SCENES - 1) * CONDITIONS


def test_an_image_that_changes_is_another_question(tmp_path: Path, counts) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    run(study)
    counts()
    Image.new("RGB", (fakes.WIDTH, fakes.HEIGHT), (9, 9, 9)).save(tmp_path / "data/test/a_00.png")
    run(study)
    # the shard of three scenes that holds it, under every condition
    assert counts()["segmenter"] == 3 * CONDITIONS


def test_missing_things_are_found_before_any_work(tmp_path: Path) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    (tmp_path / "checkpoints" / "scorer" / "config.json").unlink()
    (tmp_path / "checkpoints" / "scorer").rmdir()
    with pytest.raises(UserError, match="scorer"):
        run(study)
    with pytest.raises(UserError, match="nowhere"):
        run(replace(study, data_root=str(tmp_path / "nowhere")))
    assert not (study.folder / "shards").exists()


def test_the_plan_computes_nothing(tmp_path: Path, counts) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    units = engine.plan(study, fakes.LOADERS)
    assert not any(unit.recorded for unit in units) and not (study.folder / "shards").exists()
    run(study)
    counts()
    after = engine.plan(study, fakes.LOADERS)
    assert [replace(u, facts=None, recorded=False) for u in after] == [
        replace(u, facts=None, recorded=False) for u in units
    ]
    assert all(unit.recorded for unit in after) and counts() == {}


def test_one_table_runs_no_other_model(tmp_path: Path, counts) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    run(study, tables={"segmentation"})
    assert set(counts()) == {"segmenter"}
    assert not (study.records / "answers.parquet").exists()


def test_a_run_is_described(tmp_path: Path) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    run(study)
    description = read_run(study.records)
    assert description["parameters"]["study"] == "tiny"
    assert description["machine"]["cores"] >= 1
    assert description["versions"]["torch"].startswith("2")
    assert description["models"]["blocks"]["digest"] == "fake-segmenter"
    assert description["stages"]["talker"]["images"] == SCENES * (CONDITIONS + 1)
    run(study)
    assert read_run(study.records)["stages"] == description["stages"]
