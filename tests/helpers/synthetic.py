"""Synthetic records of a study, in the schema of the real ones: for tests of figures and pages.

A model's skill falls with the severity of the condition, so that the numbers have a direction, but
nothing here is a result.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vlmis_utils.analysis.results import Results
from vlmis_utils.protocol.classes import LANGUAGE_CLASSES, OBJECT_CLASSES
from vlmis_utils.protocol.conditions import CONDITIONS
from vlmis_utils.protocol.prompts import PROMPTS, contrastive_pairs, presence_class
from vlmis_utils.protocol.signals import (
    COARSE,
    FLIPS,
    PICTURE_SIGNALS,
    SEGMENTER_SIGNALS,
    TEMPERATURES,
)
from vlmis_utils.records.schema import SCHEMAS

HEIGHT, WIDTH = 64, 128
SEGMENTERS = ("deeplabv3plus", "segformer", "mask2former")
CONTRASTIVE, GENERATIVE = ("clip", "siglip"), ("qwen2-vl",)


def write_records(folder: Path, scenes: int = 8, seed: int = 0) -> Path:
    """Write all tables and run.json of a synthetic study; return the folder."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"streetworld-test-0-{i:05d}" for i in range(scenes)]
    truth = {name: _counts(rng) for name in names}
    safe = {name: bool(rng.random() < 0.5) for name in names}
    floor = 0.0004 * HEIGHT * WIDTH
    present = {
        n: {c for c, k in zip(LANGUAGE_CLASSES, truth[n], strict=True) if k >= floor} for n in names
    }
    tables = {
        "scenes": [_scene(n, truth[n], safe[n]) for n in names],
        "conditions": [
            _condition(rng, n, c, truth[n]) for n in names for c in (*CONDITIONS, "blank")
        ],
        "segmentation": [
            {
                "segmenter": m, "scene_id": n, "condition": c, "seconds": 0.1,
                **_confusions(rng, truth[n], _skill(c) - 0.05 * i),
            }
            for i, m in enumerate(SEGMENTERS) for n in names for c in CONDITIONS
        ],
        "answers": [
            _answer(rng, v, n, c, p.name, present[n], safe[n])
            for v in (*CONTRASTIVE, *GENERATIVE)
            for n in names for c in (*CONDITIONS, "blank") for p in PROMPTS
        ],
    }  # fmt: skip
    _add_signals(tables, np.random.default_rng(seed + 1))
    for table, rows in tables.items():
        schema = pa.schema([(c.name, c.type) for c in SCHEMAS[table]])
        frame = pd.DataFrame(rows)
        unknown = {name: None for name in schema.names if name not in frame}
        frame = frame.assign(**unknown)[schema.names]
        arrow = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
        pq.write_table(arrow, folder / f"{table}.parquet")
    run = {"parameters": {"study": "synthetic"}, "versions": {"python": "3"}, "pages": {"a": 1.5}}
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return folder


def _add_signals(tables: dict[str, list[dict]], rng: np.random.Generator) -> None:
    """Give every row the signals that a run records; doubt rises as skill falls."""
    for row in tables["conditions"]:
        doubt = 1 - _skill(row["condition"])
        row |= {name: 1 - doubt + 0.1 * rng.normal() for name in PICTURE_SIGNALS}
    for row in tables["segmentation"]:
        doubt = 1 - _skill(row["condition"])
        signs = {n: -1 if n.startswith("margin") else 1 for n in (*SEGMENTER_SIGNALS, *FLIPS)}
        row |= {name: sign * doubt + 0.1 * rng.normal() for name, sign in signs.items()}
        counts = np.reshape(row["confusion"], (19, 19)).sum(axis=0)
        ahead = np.reshape(row["corridor_confusion"], (19, 19)).sum(axis=0)
        labels = rng.choice(19, size=COARSE, p=counts / counts.sum()).astype(np.uint8)
        row |= {"predicted": counts.tolist(), "corridor_predicted": ahead.tolist()}
        losses = [doubt + abs(t - 1.4) for t in TEMPERATURES]
        row |= {"coarse": labels.tobytes(), "tempered_loss": losses}
        row["tempered_entropy"] = [doubt * t for t in TEMPERATURES]
        if row["segmenter"] != SEGMENTERS[0]:
            row |= dict.fromkeys(FLIPS)
    for row in tables["answers"]:
        doubt = 1 - _skill(row["condition"])
        if row["vlm"] in GENERATIVE:
            row |= {"first_entropy": doubt * rng.random(), "first_margin": rng.random()}
        if row["prompt"] == "describe":
            row["embedding"] = (rng.normal(size=8) + doubt).tolist()


def _skill(condition: str) -> float:
    fixed = {"clean": 0.9, "blank": 0.0}
    return fixed[condition] if condition in fixed else 0.85 - 0.15 * int(condition[-1])


def _counts(rng: np.random.Generator) -> np.ndarray:
    weights = rng.random(19) * (rng.random(19) < 0.6)
    weights[[0, 2, 10]] += 2
    return np.floor(weights / weights.sum() * HEIGHT * WIDTH).astype(int)


def _scene(name: str, counts: np.ndarray, safe: bool) -> dict[str, object]:
    return {
        "scene_id": name, "dataset": "streetworld", "split": "test", "height": HEIGHT,
        "width": WIDTH, "pixel_counts": counts.tolist(), "safe": safe,
        "corridor_counts": (counts // 8).tolist(), "image_sha256": "0",
        "labels_sha256": "0", "safety_reason": "clear" if safe else "car in corridor at 9.3 m",
    }  # fmt: skip


def _condition(
    rng: np.random.Generator, name: str, condition: str, counts: np.ndarray
) -> dict[str, object]:
    level = int(condition[-1]) if condition[-1].isdigit() else 0
    hidden = condition.startswith("OCC")
    return {
        "scene_id": name, "condition": condition, "image_sha256": "0",
        "psnr": 30.0 - 6 * level + rng.normal() if level else None,
        "occluder": [4, 8, 16, 8 * level] if hidden else None,
        "visible_counts": np.where(rng.random(19) < 0.1, 0, counts).tolist() if hidden
        else counts.tolist(),
    }  # fmt: skip


def _confusion(rng: np.random.Generator, counts: np.ndarray, skill: float) -> list[int]:
    rates = np.clip(skill + 0.1 * rng.normal(size=19), 0.02, 1)
    hits = np.floor(counts * rates).astype(int)
    matrix = np.diag(hits)
    for row, lost in enumerate(counts - hits):
        matrix[row, (row + 1 + rng.integers(17)) % 19] += lost
    return matrix.ravel().tolist()


def _confusions(rng: np.random.Generator, counts: np.ndarray, skill: float) -> dict[str, list[int]]:
    return {
        "confusion": _confusion(rng, counts, skill),
        "corridor_confusion": _confusion(rng, counts // 8, skill),
    }


def _answer(
    rng: np.random.Generator, vlm: str, scene: str, condition: str, prompt: str,
    present: set[str], safe: bool,
) -> dict[str, object]:  # fmt: skip
    row = {"vlm": vlm, "scene_id": scene, "condition": condition, "prompt": prompt,
           "text": None, "labels": [], "scores": [], "p_yes": None, "p_no": None,
           "seconds": 0.01}  # fmt: skip
    skill, asked = _skill(condition), presence_class(prompt)
    if vlm in CONTRASTIVE:
        labels = list(contrastive_pairs(prompt))
        right = {"describe": present, "safety": {"safe" if safe else "unsafe"}}.get(
            prompt, {"yes" if asked in present else "no"}
        )
        scores = [rng.normal() + 2 * skill * (label in right) for label in labels]
        return row | {"labels": labels, "scores": scores}
    if prompt == "describe":
        seen = [c for c in OBJECT_CLASSES if rng.random() < (skill if c in present else 0.1)]
        text = f"A street with {', '.join(f'a {c}' for c in seen)}." if seen else "A street."
        text += " There are no buses." if rng.random() < 0.3 and "bus" not in seen else ""
    elif prompt == "safety":
        verdict = safe if rng.random() < skill else not safe
        text = "Yes, it is safe to proceed." if verdict else "No, it is not safe to proceed."
        text = "I cannot tell." if rng.random() < 0.1 else text
    else:
        text = "Yes." if (asked in present) == (rng.random() < skill) else "No."
    if prompt == "describe":
        return row | {"text": text}
    sure = {"Y": (0.8, 0.1), "N": (0.1, 0.8)}.get(text[0], (0.3, 0.2))
    return row | {"text": text, "p_yes": sure[0], "p_no": sure[1]}


def pairs_per_image(results: Results) -> pd.DataFrame:
    """Return segmentation quality beside hr_i, omitted and smr_i, a row an image, by one merge."""
    columns = ["vlm", "condition", "scene_id", "hr_i", "omitted", "smr_i"]
    images = results.vlm_per_image()[columns]
    return results.segmentation_per_image().merge(images, on=["condition", "scene_id"])
