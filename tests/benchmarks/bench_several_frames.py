"""Three frames in one prompt against the newest alone, by the embedded Qwen2-VL on four drives.

The page on looking longer shows what this keeps: errors of each drive, and processor seconds of an
answer on one thread. Both ways read each chat whole, so that the seconds compare.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import pandas as pd
import torch
from paired import keep

from vlmis_utils.corruptions.in_time import degrade_frames
from vlmis_utils.datasets.cache import as_tensor
from vlmis_utils.datasets.registry import Scene, open_scenes
from vlmis_utils.metrics.per_image import Reading, failures
from vlmis_utils.models.vlm.generative import Generative
from vlmis_utils.models.vlm.loading import load_vlm
from vlmis_utils.protocol.models import load_catalogue
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.protocol.prompts import prompt

DRIVES, TOGETHER, EVERY, CONDITIONS = 4, 3, 2, ("clean", "LL3")
ASKED = [prompt("describe"), prompt("safety")]


def main() -> None:
    torch.set_num_threads(1)
    study = replace(load_study("params/sequences.yaml"), scenes=DRIVES)
    model = load_vlm(load_catalogue()["qwen2-vl"])
    rows = []
    for sequence, frames in groupby(open_scenes(study), key=lambda scene: scene.sequence):
        scenes = list(frames)
        newest = scenes[TOGETHER - 1 :: EVERY]
        clean = torch.stack([as_tensor(scene.image()) for scene in scenes])
        for condition in CONDITIONS:
            seen = degrade_frames(
                clean, condition, [scene.in_time for scene in scenes], study.timing,
                scene_ids=[scene.scene_id for scene in scenes], seed=study.seed,
                blur_scale=study.blur_scale, noise_sigma=study.noise_sigma,
            )  # fmt: skip
            windows = seen.unfold(0, TOGETHER, EVERY).movedim(-1, 1)
            for count in (1, TOGETHER):
                row = {"sequence": sequence, "condition": condition, "frames": count}
                rows.append(row | measured(model, windows[:, -count:], newest))
                print(rows[-1], flush=True)
    if "--save" in sys.argv[1:]:
        keep("several-frames", rows)


def measured(model: Generative, stacks: torch.Tensor, newest: Sequence[Scene]) -> dict[str, float]:
    start = time.process_time()
    answers = model.answer_together(stacks, ASKED)
    seconds = (time.process_time() - start) / (len(stacks) * len(ASKED))
    reading = Reading()
    objects, critical = frozenset(reading.vocabulary), frozenset(reading.critical_classes)
    table = failures(pd.DataFrame({
        "mentioned": [reading.mentions(described) for described, _ in answers],
        "decision": [reading.decision(judged) for _, judged in answers],
        "present": [scene.present & objects for scene in newest],
        "critical": [scene.present & critical for scene in newest],
        "hidden": [frozenset()] * len(newest),
        "safe": [scene.safe for scene in newest],
    }))  # fmt: skip
    return {
        "answers": len(answers), "hr": table.hr_i.mean(), "cor": table.omitted.mean(),
        "smr": table.smr_i.mean(), "abstained": table.abstained.mean(),
        "mentions": table.n_mentions.mean(), "texts": len({d.text for d, _ in answers}),
        "seconds": seconds,
    }  # fmt: skip


if __name__ == "__main__":
    main()
