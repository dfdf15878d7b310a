"""A small synthetic run with pictures and masks, and its explorer as a page of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis import examples
from vlmis_utils.datasets.registry import open_scenes
from vlmis_utils.protocol.conditions import CONDITIONS
from vlmis_utils.protocol.parameters import write_study
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.masks import mask_png
from vlmis_utils.records.schema import SCHEMAS, arrow_schema
from vlmis_utils.runner.images import array_digest

__all__ = ["HOSTILE", "explored_page", "explored_records"]

HOSTILE = "<img src=x onerror=\"document.title='run'\"> A street with a car and a bus."
_STATIC = Path(__file__).resolve().parents[2] / "book" / "_static"
_PAGE = Path(__file__).resolve().parents[2] / "notebooks" / "explorer.md"


def explored_records(
    folder: Path,
    scenes: int = 4,
    conditions: tuple[str, ...] = CONDITIONS,
    pictures: bool = False,
) -> Path:
    """Write synthetic records with masks, an answer that is HTML, and, if wanted, real pictures."""
    study = Study(study=folder.name, build_root=str(folder.parent), scenes=scenes, bootstrap=30,
                  conditions=conditions, device="cpu")  # fmt: skip
    records = write_records(Path(study.records), scenes=scenes)
    rng = np.random.default_rng(0)
    tables = {table: pq.read_table(records / f"{table}.parquet").to_pandas() for table in SCHEMAS}
    for name, frame in tables.items():
        if "condition" in frame:
            kept = frame.condition.isin({*conditions, "blank"})
            tables[name] = frame[kept].reset_index(drop=True)
    seen = tables["segmentation"]
    seen["mask"] = [mask_png(rng.integers(0, 19, (8, 16), dtype=np.uint8)) for _ in seen.index]
    said = tables["answers"]
    first = (said.vlm == "qwen2-vl") & (said.prompt == "describe") & (said.condition == "clean")
    said.loc[first, "text"] = HOSTILE
    if pictures:
        names = {scene.scene_id: scene for scene in open_scenes(replace(study, scenes=scenes))}
        digests = {
            (name, view.condition): array_digest(view.image)
            for name, scene in names.items()
            for view in examples.degrade(study, scene, conditions)
        }
        frame = tables["conditions"]
        keys = zip(frame.scene_id, frame.condition, strict=True)
        frame["image_sha256"] = [digests.get(key, "0") for key in keys]
    for name, frame in tables.items():
        arrow = pa.Table.from_pandas(frame, schema=arrow_schema(name), preserve_index=False)
        pq.write_table(arrow, records / f"{name}.parquet")
    write_study(study)
    return records


def explored_page(study: Path) -> Path:
    """Write what the book shows of the explorer as one page beside the data; return the page."""
    text = _PAGE.read_text(encoding="utf-8")
    begin, end = text.index('<link rel="stylesheet"'), text.rindex("</script>") + len("</script>")
    body = text[begin:end].replace("../_static/", f"{_STATIC.as_uri()}/")
    body = body.replace("../explorer/", "explorer/")
    page = study / "page.html"
    page.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>page</title>{body}</html>',
        encoding="utf-8",
    )
    return page
