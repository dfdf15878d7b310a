"""What the explorer writes, and what it must not."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.helpers.explored import explored_records
from vlmis_utils import open_results
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.protocol.classes import LANGUAGE_CLASSES
from vlmis_utils.records.store import read_table
from vlmis_utils.report.explorer import write_explorer


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return explored_records(tmp_path / "told", 2, ("clean", "LL3"))


def edit(records: Path, table: str, **columns: object) -> None:
    path = records / f"{table}.parquet"
    arrow = pq.read_table(path)
    frame = arrow.to_pandas().assign(**columns)
    pq.write_table(type(arrow).from_pandas(frame, schema=arrow.schema, preserve_index=False), path)


def index(records: Path) -> dict:
    text = (records.parent / "explorer" / "index.js").read_text(encoding="utf-8")
    assert text.startswith("vlmisExplorer.open(") and text.endswith(");\n")
    return json.loads(text[len("vlmisExplorer.open(") : -3])


@pytest.mark.parametrize("dataset", ["cityscapes", "camvid", "folder"])
def test_pictures_of_other_datasets_do_not_go_into_a_book(records: Path, dataset: str) -> None:
    edit(records, "scenes", dataset=dataset)
    (records / "run.json").write_text(json.dumps({"annotated_classes": LANGUAGE_CLASSES}))
    held = write_explorer(records)
    assert not held.pictures and "not ours to pass on" in held.note and dataset in held.note
    names = {p.name for p in (records.parent / "explorer").rglob("*") if p.is_file()}
    assert not any(n.endswith(".jpg") or "truth" in n for n in names)
    assert "data_root" not in held.note, "these records have label maps"
    assert index(records)["pictures"] is None


def test_older_records_have_no_masks_and_say_so(records: Path) -> None:
    path = records / "segmentation.parquet"
    pq.write_table(pq.read_table(path).drop(["mask"]), path)
    assert read_table(records, "segmentation")["mask"].isna().all()
    held = write_explorer(records, "none")
    assert not held.masks and "kept no predicted label maps" in held.note
    assert not list((records.parent / "explorer").rglob("*.png"))
    edit(records, "scenes", dataset="cityscapes")
    (records / "run.json").write_text(json.dumps({"annotated_classes": LANGUAGE_CLASSES}))
    note = write_explorer(records).note
    assert "a run on the photographs themselves (data_root) makes them" in note
    assert "remove shards" not in note


def test_what_an_earlier_run_left_is_removed(records: Path) -> None:
    stale = records.parent / "explorer" / "words" / "99.js"
    stale.parent.mkdir(parents=True)
    stale.write_text("old")
    write_explorer(records, "none")
    assert not stale.exists() and (stale.parent / "1.js").exists()


def test_a_picture_that_is_not_the_recorded_one_is_refused(records: Path) -> None:
    with pytest.raises(RunError, match="not the image that was recorded"):
        write_explorer(records, "own")


def test_an_unknown_choice_names_the_closest(records: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'none'"):
        write_explorer(records, "nonne")


def test_the_index_holds_the_terms_of_the_run(records: Path) -> None:
    write_explorer(records, "none")
    held, results = index(records), open_results(records)
    pictures = [(s["id"], c) for s in held["scenes"] for c in held["conditions"]]
    judged = results.vlm_per_image().set_index(["vlm", "scene_id", "condition"])
    for vlm in held["vlms"]:
        for place, picture in enumerate(pictures):
            row = judged.loc[(vlm["name"], *picture)]
            assert vlm["hr"][place] == pytest.approx(row.hr_i, abs=6e-4)
            assert vlm["smr"][place] == row.smr_i
            named = {c for bit, c in enumerate(held["classes"])
                     if vlm["mentioned"][place] >> bit & 1}  # fmt: skip
            assert named == set(row.mentioned)
    quality = results.segmentation_per_image().set_index(["segmenter", "scene_id", "condition"])
    for segmenter in held["segmenters"]:
        for place, picture in enumerate(pictures):
            miou = quality.miou[(segmenter["name"], *picture)]
            assert segmenter["miou"][place] == pytest.approx(miou, abs=6e-4)
            clean = quality.miou[(segmenter["name"], picture[0], "clean")]
            assert segmenter["lost"][place] == pytest.approx(clean - miou, abs=6e-4)
