"""Memory of a run over more and more scenes: flat, or what grows?

Each run is a process of its own over a folder of small pictures (a few files under many names),
with stand-ins for the models, so that what is seen is the engine's own: planning, decoding,
corrupting, scoring, writing. A thread reads the resident set twenty times a second. ``--save``
keeps ``memory.csv`` in ``book/measured``, and with ``--package`` (another checkout, run in turn)
``memory-before.csv`` too.

    .venv/bin/python tests/benchmarks/bench_memory.py --most 10000 --save
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml
from paired import keep
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SIZES = (100, 300, 1000, 3000, 10000)
HEIGHT, WIDTH, FILES = 64, 128, 4
CONDITIONS = ("clean", "MB1")
KEPT = 200  # samples of a run that are kept
EVERY = 0.05  # seconds between two samples


def resident() -> float:
    """Return the resident set of this process in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def pictures(folder: Path, scenes: int) -> None:
    """Write a dataset of ``scenes`` names for a few pictures, with its class map."""
    rng = np.random.default_rng(0)
    names = {"images": "image", "labels": "labels"}
    for part in names:
        (folder / part / "test").mkdir(parents=True)
    for number in range(FILES):
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        labels[: HEIGHT // 2], labels[40:50, 10 * number : 10 * number + 9] = 10, 13
        image = rng.integers(60, 200, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        Image.fromarray(image).save(folder / f"image{number}.png")
        Image.fromarray(labels).save(folder / f"labels{number}.png")
    for number in range(scenes):
        for part, name in names.items():
            source = folder / f"{name}{number % FILES}.png"
            os.link(source, folder / part / "test" / f"{number:05d}.png")
    classes = {"classes": {0: "road", 10: "sky", 13: "car"}}
    (folder / "classes.yaml").write_text(yaml.safe_dump(classes))


def child(folder: Path, scenes: int) -> None:
    """Run the study and print its samples, a line each: seconds, MiB."""
    import torch

    from tests.helpers import fakes
    from vlmis_utils.core.allocator import keep_freed_memory
    from vlmis_utils.runner import run

    torch.set_num_threads(1)
    keep_freed_memory()
    study = fakes.make_study(
        folder, scenes, dataset="folder", data_root=str(folder), conditions=CONDITIONS,
        class_map=str(folder / "classes.yaml"), batch_size=8, shard_size=25,
    )  # fmt: skip
    done, samples = threading.Event(), []
    start = time.perf_counter()

    def look() -> None:
        while not done.wait(EVERY):
            samples.append((time.perf_counter() - start, resident()))

    watching = threading.Thread(target=look)
    watching.start()
    run.run(replace(study, vlms=("talker",)), loaders=fakes.LOADERS)
    done.set()
    watching.join()
    samples.append((time.perf_counter() - start, resident()))
    for seconds, mib in samples:
        print(f"{seconds:.3f},{mib:.2f}")


def samples_of(package: Path, scenes: int) -> list[tuple[float, float]]:
    """Return (seconds, MiB) over a run of a checkout's package."""
    with tempfile.TemporaryDirectory() as folder:
        pictures(Path(folder), scenes)
        (Path(folder) / "data").mkdir()  # `fakes.make_study` would fill it otherwise
        done = subprocess.run(
            [sys.executable, __file__, "--child", folder, str(scenes)], cwd=package,
            env={**os.environ, "PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"},
            capture_output=True, text=True,
        )  # fmt: skip
    if done.returncode:
        sys.exit(f"the run failed in {package}:\n{done.stderr[-2000:]}")
    pairs = [tuple(map(float, line.split(","))) for line in done.stdout.splitlines()]
    return [(pair[0], pair[1]) for pair in pairs]


def thinned(samples: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return at most `KEPT` samples, the greatest of each stretch of time."""
    parts = np.array_split(np.array(samples), min(KEPT, len(samples)))
    return [tuple(part[part[:, 1].argmax()].tolist()) for part in parts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--package", type=Path, help="another checkout, run in turn")
    parser.add_argument("--most", type=int, default=1000, help="scenes of the longest run")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    if options.child:
        return child(Path(options.child[0]), int(options.child[1]))
    ways = {"memory": ROOT}
    if options.package:
        ways = {"memory-before": options.package.resolve(), **ways}
    lines: dict[str, list[dict[str, object]]] = {name: [] for name in ways}
    print(f"{'':<16}{'scenes':>8}{'seconds':>10}{'start, MiB':>12}{'peak, MiB':>12}")
    for scenes in (size for size in SIZES if size <= options.most):
        for name, package in ways.items():
            found = samples_of(package, scenes)
            peak = max(mib for _, mib in found)
            print(f"{name:<16}{scenes:>8}{found[-1][0]:>10.1f}{found[0][1]:>12.0f}{peak:>12.0f}")
            sys.stdout.flush()
            lines[name] += [{"scenes": scenes, "seconds": s, "mib": m} for s, m in thinned(found)]
    if options.save:
        for name, rows in lines.items():
            keep(name, rows)


if __name__ == "__main__":
    main()
