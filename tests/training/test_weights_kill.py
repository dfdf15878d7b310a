"""`make weights`, killed and started again, gives the weights of an undisturbed run."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from tests.helpers.embedded import frames
from vlmis_utils.streetworld.world import WORLD_VERSION
from vlmis_utils.training.data import TrainingData
from vlmis_utils.training.weights import main

STEPS, SAVED = 23, 20  # a segmenter's state is saved every 20 steps


def _keep(data: TrainingData, folder: Path) -> None:
    """Lay scenes where the recipes look for rendered ones."""
    folder.mkdir(parents=True)
    np.save(folder / "images.npy", data.images)
    np.save(folder / "labels.npy", data.labels)
    rows = [
        {"index": i, "scene_id": data.scene_ids[i], "safe": bool(data.safe[i]),
         "reason": data.reasons[i], "counts": data.counts[i].tolist()}
        for i in range(len(data))
    ]  # fmt: skip
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))


def _start(folder: Path, cache: Path) -> BaseProcess:
    folder.mkdir(exist_ok=True)
    context = multiprocessing.get_context("forkserver")  # what all runs import is imported once
    context.set_forkserver_preload(["vlmis_utils.training.recipes.train_segmenters"])
    process = context.Process(target=_weights, args=(folder, cache))
    process.start()
    return process


def _weights(folder: Path, cache: Path) -> None:
    os.chdir(folder)
    os.environ["VLMIS_CACHE"] = str(cache)
    with open("said.txt", "w") as said, redirect_stdout(said), redirect_stderr(said):
        code = main(["--only", "segformer", "--steps", str(STEPS), "--scenes", "8",
                     "--threads", "1", "--device", "cpu", "--out", "checkpoints"])  # fmt: skip
    sys.exit(code)


def test_a_killed_training_resumes_to_the_same_weights(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    _keep(frames(8, 0, 64, 128), cache / "training" / f"{WORLD_VERSION}-train-0-8")
    _keep(frames(60, 1, 32, 64), cache / "training" / f"{WORLD_VERSION}-val-0-60")
    whole = _start(tmp_path / "whole", cache)
    whole.join(1200)
    assert whole.exitcode == 0, (tmp_path / "whole" / "said.txt").read_text()

    cut = _start(tmp_path / "cut", cache)
    state, said = (tmp_path / "cut" / n for n in ("build/training/segformer.state.pt", "said.txt"))
    while not state.exists():
        assert cut.is_alive(), said.read_text()
        time.sleep(0.02)
    cut.kill()
    cut.join()
    assert cut.exitcode == -signal.SIGKILL
    assert torch.load(state, weights_only=True)["step"] == SAVED

    resumed = _start(tmp_path / "cut", cache)
    resumed.join(1200)
    assert resumed.exitcode == 0
    assert f"resumed at step {SAVED}" in said.read_text()
    files = [tmp_path / name / "checkpoints" / "segformer" / "model.safetensors"
             for name in ("whole", "cut")]  # fmt: skip
    one, other = map(load_file, files)
    assert one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)
