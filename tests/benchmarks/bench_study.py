"""Where the time of the default study goes, now and in another checkout, on one thread.

Each checkout runs the same scenes under all ten conditions with all six models, in a process of
its own that `stages.py` watches; with ``--package`` the two take turns, and the figures are medians
over the rounds. ``--save`` keeps ``profile-after.csv`` (and ``profile-before.csv`` of the other
checkout) in ``book/measured``. ``--large`` looks at pictures of the size of Cityscapes instead,
StreetWorld's enlarged, and keeps ``profile-large.csv``.

    git worktree add /tmp/before <commit>
    .venv/bin/python tests/benchmarks/bench_study.py --scenes 16 --package /tmp/before --save
    .venv/bin/python tests/benchmarks/bench_study.py --large --scenes 2 --save
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import yaml
from paired import keep
from PIL import Image

from vlmis_utils.datasets.registry import open_dataset
from vlmis_utils.protocol.classes import TRAIN_CLASSES
from vlmis_utils.protocol.study import Study

ROOT = Path(__file__).resolve().parents[2]
STAGES = Path(__file__).with_name("stages.py")
LARGE = (1024, 2048)  # of Cityscapes

Rows = dict[tuple[str, str, str], float]


def profile(package: Path, keys: dict[str, object]) -> tuple[Rows, float]:
    """Run a study with a checkout's package; return seconds by table, model, stage, and all."""
    one = dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **one, "PYTHONPATH": str(package), "VLMIS_CACHE": folder}
        given = json.dumps(keys | {"build_root": folder})
        done = subprocess.run(
            [sys.executable, str(STAGES), given], capture_output=True, text=True,
            env=environment, cwd=package,
        )  # fmt: skip
    if done.returncode:
        sys.exit(f"the study failed in {package}:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    if found["missing"]:
        print(f"{package} lacks {', '.join(found['missing'])}: their time counts outside them")
    return {tuple(row[:3]): row[3] for row in found["rows"]}, found["wall"]


def enlarged(folder: Path, scenes: int) -> dict[str, object]:
    """Write scenes of StreetWorld at the size of Cityscapes; return the keys of their study."""
    height, width = LARGE
    rng = np.random.default_rng(0)
    for part in ("images", "labels"):
        (folder / part / "test").mkdir(parents=True)
    for number, scene in enumerate(open_dataset("streetworld", split="test", limit=scenes)):
        picture = Image.fromarray(scene.image()).resize((width, height), Image.Resampling.BICUBIC)
        noisy = np.asarray(picture) + rng.normal(0, 1, (height, width, 3))  # as a camera's
        picture = Image.fromarray(np.clip(noisy.round(), 0, 255).astype(np.uint8))
        picture.save(folder / "images" / "test" / f"{number:03d}.png")
        labels = Image.fromarray(scene.labels()).resize((width, height), Image.Resampling.NEAREST)
        labels.save(folder / "labels" / "test" / f"{number:03d}.png")
    class_map = folder / "classes.yaml"
    class_map.write_text(yaml.safe_dump({"classes": dict(enumerate(TRAIN_CLASSES))}))
    return {"dataset": "folder", "data_root": str(folder), "class_map": str(class_map)}


def images_of(table: str, model: str, scenes: int) -> int:
    """Return how many pictures a table's rows are about (a scene has one for each condition)."""
    conditions = len(Study().conditions)
    if table == "scenes" or model == "blank":
        return scenes
    return scenes * (conditions + 1 if table == "conditions" else conditions)


def save(name: str, rows: list[Rows], walls: list[float], scenes: int, size: str) -> None:
    """Print the medians over rounds by stage; keep them where a name is given."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    middle = {key: statistics.median(row.get(key, 0.0) for row in rows) for key in keys}
    lines = [
        {
            "table": table, "model": model, "stage": stage, "scenes": scenes,
            "images": images_of(table, model, scenes), "seconds": middle[key],
            "size": size, "rounds": len(rows), "wall": statistics.median(walls),
        }
        for key in keys for table, model, stage in [key]
    ]  # fmt: skip
    by_stage: dict[str, float] = defaultdict(float)
    for (_, _, stage), seconds in middle.items():
        by_stage[stage] += seconds
    total = sum(by_stage.values())
    print(f"{scenes} scenes, {size}: {total:.1f} s of processor, {statistics.median(walls):.1f} s")
    for stage, seconds in sorted(by_stage.items(), key=lambda item: -item[1]):
        print(f"  {stage:<10}{seconds:>8.2f} s{100 * seconds / total:>7.1f} %")
    if name:
        keep(name, lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", type=Path, help="another checkout, profiled in turn")
    parser.add_argument("--scenes", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--large", action="store_true", help="pictures of 1024 x 2048")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    ways = {"profile-after": ROOT}
    if options.package:
        ways = {"profile-before": options.package.resolve(), **ways}
    if options.large:
        ways = {"profile-large": ROOT}
    keys: dict[str, object] = {"scenes": options.scenes, "workers": 1, "device": "cpu"}
    found: dict[str, list[tuple[Rows, float]]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        if options.large:
            keys |= enlarged(Path(folder), options.scenes)
        for _ in range(options.rounds):
            for name, package in ways.items():
                found[name].append(profile(package, keys))
    size = "x".join(map(str, LARGE)) if options.large else "256x512"
    for name, rounds in found.items():
        print(f"\n{name.removeprefix('profile-')} ({ways[name]})")
        rows, walls = zip(*rounds, strict=True)
        save(name if options.save else "", list(rows), list(walls), options.scenes, size)


if __name__ == "__main__":
    main()
