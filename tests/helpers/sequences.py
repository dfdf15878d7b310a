"""Made-up records of a study of sequences, cut out of those of `tests.helpers.synthetic`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.helpers.synthetic import SEGMENTERS, write_records
from vlmis_utils.protocol.parameters import write_study
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.schema import SCHEMAS

__all__ = ["SEQUENCE_EDGES", "write_sequences"]

# What is said of the study -> drives, frames, conditions, segmenters, VLMs, words of all answers.
SEQUENCE_EDGES: dict[str, tuple] = {
    "one drive of two frames": (1, 2, ("clean",), SEGMENTERS[:1], ("qwen2-vl",), None),
    "a VLM without text": (3, 4, ("clean", "LL3"), SEGMENTERS, ("clip",), None),
    "all answers abstain": (3, 4, ("clean", "OCC3"), SEGMENTERS[:1], ("qwen2-vl",), "I cannot."),
    "no segmenter's scores": (2, 3, ("clean", "MB1"), SEGMENTERS[:1], ("clip", "qwen2-vl"), None),
}


def write_sequences(
    folder: Path,
    drives: int = 5,
    frames: int = 6,
    conditions: Sequence[str] = ("clean", "LL3", "OCC3"),
    segmenters: Sequence[str] = SEGMENTERS,
    vlms: Sequence[str] = ("clip", "siglip", "qwen2-vl"),
    words: str | None = None,
    scores: bool = True,
    **parameters: object,
) -> Path:
    """Write the records of a made-up study of sequences and its ``study.yaml``.

    Args:
        folder: of the study; its name is that of the study.
        words: what every model that writes says, in place of its answers.
        scores: whether segmenters give scores, so that there is a running mean.
        parameters: more of the study's.

    Returns:
        The folder of the records.
    """
    study = Study(
        study=folder.name, build_root=str(folder.parent), scenes=drives, frames=frames,
        conditions=tuple(conditions), segmenters=tuple(segmenters), vlms=tuple(vlms), bootstrap=50,
        **parameters,
    )  # fmt: skip
    records = write_records(Path(study.records), scenes=drives * frames)
    names = {
        f"streetworld-test-0-{i:05d}": (f"streetworld-test-0-{i // frames:05d}", i % frames)
        for i in range(drives * frames)
    }
    rng = np.random.default_rng(0)
    for table in SCHEMAS:
        frame = pq.read_table(records / f"{table}.parquet").to_pandas()
        for column, known in (("segmenter", segmenters), ("vlm", vlms)):
            if column in frame:
                frame = frame[frame[column].isin(known)]
        if "condition" in frame:
            frame = frame[frame.condition.isin([*conditions, "blank"])]
        frame = frame.reset_index(drop=True)
        _place(frame, names, study.rate, table)
        if table == "segmentation":
            _flip(frame, rng, scores)
        if table == "answers" and words is not None:
            frame.loc[frame.text.notna(), "text"] = words
        schema = pa.schema([(c.name, c.type) for c in SCHEMAS[table]])
        arrow = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
        pq.write_table(arrow, records / f"{table}.parquet")
    write_study(study)
    return records


def _place(frame: pd.DataFrame, names: dict[str, tuple[str, int]], rate: float, table: str) -> None:
    places = [names[name] for name in frame.scene_id]
    frame["sequence"] = [sequence for sequence, _ in places]
    frame["frame"] = [number for _, number in places]
    frame["scene_id"] = [f"{sequence}/{number:03d}" for sequence, number in places]
    if table == "scenes":
        frame["time"] = frame.frame / rate
        frame["speed"] = 8.0


def _flip(frame: pd.DataFrame, rng: np.random.Generator, scores: bool) -> None:
    counts = [[8000, int(n), int(n) // 2] for n in rng.integers(0, 2000, len(frame))]
    first = frame.frame == 0
    frame["flips"] = [None if f else c for f, c in zip(first, counts, strict=True)]
    frame["raw_flips"] = frame["flips"]
    frame["smoothed_confusion"] = list(frame.confusion) if scores else None
