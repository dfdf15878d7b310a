"""Made-up scenes, answers and numbers of the embedded models' evaluation. Nothing is a result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.classes import PRESENCE_CLASSES, TRAIN_CLASSES, pixel_counts
from vlmis_utils.protocol.prompts import PROMPTS, contrastive_pairs
from vlmis_utils.training.data import TrainingData
from vlmis_utils.training.evaluation import store
from vlmis_utils.training.evaluation.goals import GOALS
from vlmis_utils.training.weights import MODELS, SEGMENTERS


def frames(count: int, seed: int, height: int = 256, width: int = 512) -> TrainingData:
    """Return scenes of blocks of six classes each, a colour a class."""
    rng = np.random.default_rng(seed)
    side = height // 8
    blocks = [rng.choice(rng.permutation(19)[:6], (8, width // side)) for _ in range(count)]
    labels = np.stack(blocks).astype(np.uint8).repeat(side, 1).repeat(side, 2)
    safe = rng.random(count) < 0.5
    return TrainingData(
        images=(labels[..., None] * np.array([13, 7, 5])).astype(np.uint8),
        labels=labels,
        counts=np.stack([pixel_counts(each) for each in labels]),
        safe=safe,
        reasons=["clear" if s else "car in corridor at 6.0 m; red light" for s in safe],
        scene_ids=[f"synthetic-{seed}-{i}" for i in range(count)],
    )


def answers(present: frozenset[str], safe: bool, words: bool) -> list[Answer]:
    """Return right answers to all prompts, in words or as scores."""
    found = []
    for prompt in PROMPTS:
        labels = tuple(contrastive_pairs(prompt.name))
        if prompt.name == "describe":
            text = f"A street with {', '.join(f'a {c}' for c in sorted(present)) or 'nothing'}."
            found.append(Answer(text) if words else Answer(
                None, labels, tuple(float(c in present) for c in labels)))  # fmt: skip
            continue
        yes = safe if prompt.name == "safety" else prompt.name.partition("/")[2] in present
        scores = (2.0, -1.0) if yes else (-1.0, 2.0)
        odds = {"p_yes": 0.9 if yes else 0.1, "p_no": 0.1 if yes else 0.9}
        said = Answer("Yes." if yes else "No.", **odds)
        if prompt.name == "safety":
            said = Answer("Yes, it is safe to proceed." if yes else "No, it is not safe.", **odds)
        found.append(said if words else Answer(None, labels, scores))
    return found


def write_quality(folder: Path, models: tuple[str, ...] = MODELS, seed: int = 0) -> Path:
    """Write files of the evaluation with random numbers for some models; return the folder."""
    rng = np.random.default_rng(seed)
    clean, baselines, failures = [], [], []

    def row(**facts: object) -> dict[str, object]:
        value = float(rng.uniform(0.4, 0.95))
        return {**facts, "value": value, "low": value - 0.05, "high": value + 0.04}

    for model in models:
        about = {"model": model, "digest": "0" * 16, "world": "w", "scenes": "synthetic, 9 scenes"}
        names = [g.measure for g in GOALS if model in g.models and not g.classes]
        several = ("IoU", TRAIN_CLASSES) if model in SEGMENTERS else ("presence AUC",
                                                                     PRESENCE_CLASSES)  # fmt: skip
        clean += [row(**about, measure=m, **{"class": ""}) for m in names]
        clean += [row(**about, measure=several[0], **{"class": c}) for c in several[1]]
        if model == "qwen2-vl":
            clean += [row(**about, measure="presence balanced accuracy", **{"class": c})
                      for c in PRESENCE_CLASSES]  # fmt: skip
            clean.append(row(**about, measure="presence AUC", **{"class": ""}))
        elif model not in SEGMENTERS:
            clean.append({**about, "measure": "highest F1 of K mentions", "class": "",
                          "value": 0.87})  # fmt: skip
        for name in ("constant", "blank image"):
            gain = float(rng.normal(0, 0.1))
            bounds = {"difference_low": gain - 0.05, "difference_high": gain + 0.05}
            baselines.append(
                row(**about, baseline=name, measure=names[0], difference=gain, **bounds)
            )
        rule = "largest miss" if model in SEGMENTERS else "surest error"
        thing = "rider" if model in SEGMENTERS else "bus"
        for scene, (kind, what) in enumerate((("worst scene", ""), (rule, thing))):
            failures.append({**about, "rule": kind, "scene": scene, "scene_id": f"s{scene}",
                             "about": what, "score": 0.5})  # fmt: skip
    for name, rows in (("clean", clean), ("baselines", baselines), ("failures", failures)):
        store.write(f"{name}.csv", pd.DataFrame(rows), folder)
    return folder
