"""Studies at the edge of what the parameter check accepts, cut out of synthetic records."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.helpers.synthetic import SEGMENTERS, write_records
from vlmis_utils.protocol.conditions import CONDITIONS
from vlmis_utils.protocol.parameters import write_study
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.schema import SCHEMAS

__all__ = ["EDGES", "write_edge"]

Tables = dict[str, pd.DataFrame]


def _all_abstain(tables: Tables) -> None:
    """Every model that writes says nothing that decides, and names nothing."""
    answers = tables["answers"]
    answers.loc[answers.text.notna(), "text"] = "I cannot tell."


def _no_bus(tables: Tables) -> None:
    """A class that no scene holds."""
    from vlmis_utils.protocol.classes import LANGUAGE_CLASSES

    bus = LANGUAGE_CLASSES.index("bus")
    for name, column in (("scenes", "pixel_counts"), ("conditions", "visible_counts")):
        tables[name][column] = [
            [0 if i == bus else int(n) for i, n in enumerate(counts)]
            for counts in tables[name][column]
        ]


def _cityscapes(tables: Tables) -> None:
    """Photographs: no scene of the generator, other names."""
    tables["scenes"]["dataset"] = "cityscapes"
    tables["scenes"]["split"] = "val"
    tables["scenes"]["safety_reason"] = "road users cover 3.1 % of the corridor"


# What is said of the study -> scenes, conditions, segmenters, VLMs, and what becomes of its tables.
EDGES: dict[str, tuple[int, tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple]] = {
    "one scene": (1, CONDITIONS, SEGMENTERS, ("clip", "qwen2-vl"), ()),
    "clean alone": (6, ("clean",), SEGMENTERS[:2], ("clip", "qwen2-vl"), ()),
    "clean and LL3, one segmenter, one VLM without text": (
        6, ("clean", "LL3"), SEGMENTERS[:1], ("clip",), (),
    ),
    "a class never present, all answers abstain": (
        6, CONDITIONS, SEGMENTERS[:1], ("qwen2-vl",), (_no_bus, _all_abstain),
    ),
    "one photograph, clean alone": (
        1, ("clean",), SEGMENTERS[:1], ("qwen2-vl",), (_cityscapes,),
    ),
}  # fmt: skip


def write_edge(folder: Path, name: str) -> Path:
    """Write the records of one of `EDGES`, with its ``study.yaml``; return the records' folder."""
    scenes, conditions, segmenters, vlms, edits = EDGES[name]
    study = Study(
        study=folder.name, build_root=str(folder.parent), scenes=scenes, bootstrap=30,
        conditions=conditions, segmenters=segmenters, vlms=vlms,
    )  # fmt: skip
    records = write_records(Path(study.records), scenes=scenes)
    tables = {table: pq.read_table(records / f"{table}.parquet").to_pandas() for table in SCHEMAS}
    for table, frame in tables.items():
        if "condition" in frame:
            frame = frame[frame.condition.isin({*conditions, "blank"})]
        for column, known in (("segmenter", segmenters), ("vlm", vlms)):
            if column in frame:
                frame = frame[frame[column].isin(known)]
        tables[table] = frame.reset_index(drop=True)
    for edit in edits:
        edit(tables)
    for table, frame in tables.items():
        schema = pa.schema([(c.name, c.type) for c in SCHEMAS[table]])
        arrow = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
        pq.write_table(arrow, records / f"{table}.parquet")
    write_study(study)
    return records
