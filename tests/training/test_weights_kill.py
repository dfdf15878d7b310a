"""`make weights`, killed and started again, gives the weights of an undisturbed run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from tests.helpers.embedded import frames
from vlmis_utils.streetworld.world import WORLD_VERSION
from vlmis_utils.training.data import TrainingData

ROOT = Path(__file__).resolve().parents[2]
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


def _start(folder: Path, cache: Path) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "vlmis_utils.training.weights", "--only", "segformer",
               "--steps", str(STEPS), "--scenes", "8", "--threads", "1", "--device", "cpu",
               "--out", str(folder / "checkpoints")]  # fmt: skip
    environment = {**os.environ, "VLMIS_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def test_a_killed_training_resumes_to_the_same_weights(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    _keep(frames(8, 0, 64, 128), cache / "training" / f"{WORLD_VERSION}-train-0-8")
    _keep(frames(60, 1, 32, 64), cache / "training" / f"{WORLD_VERSION}-val-0-60")
    whole = _start(tmp_path / "whole", cache)
    assert whole.wait(timeout=1200) == 0, whole.stdout.read().decode()

    cut = _start(tmp_path / "cut", cache)
    state = tmp_path / "cut" / "build" / "training" / "segformer.state.pt"
    while not state.exists():
        assert cut.poll() is None, cut.stdout.read().decode()
        time.sleep(0.02)
    cut.send_signal(signal.SIGKILL)
    assert cut.wait() == -signal.SIGKILL
    assert torch.load(state, weights_only=True)["step"] == SAVED

    resumed = _start(tmp_path / "cut", cache)
    assert resumed.wait(timeout=1200) == 0
    assert f"resumed at step {SAVED}" in resumed.stdout.read().decode()
    files = [tmp_path / name / "checkpoints" / "segformer" / "model.safetensors"
             for name in ("whole", "cut")]  # fmt: skip
    one, other = map(load_file, files)
    assert one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)
