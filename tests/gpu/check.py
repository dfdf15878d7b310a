"""All that can only be seen on a GPU: tests, and measurements for ``book/measured/gpu.csv``.

``make gpu`` runs it. It needs torch, torchvision, transformers and the package's own folder; what
else is missing comes from a folder that `kit` has filled, ``make gpu KIT=FOLDER``, so it runs on a
bare machine without a network too. It ends within ten minutes, with 2 where no GPU is.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

SIZES = ((256, 512), (320, 640), (37, 61), (1024, 2048))


def main(arguments: list[str] | None = None) -> int:
    """Run tests and measurements; return 1 where a test fails or a byte differs, 2 without GPU."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kit", type=Path, help="folder with wheels and scenes, see kit.py")
    parser.add_argument("--out", type=Path, default=ROOT / "book" / "measured" / "gpu.csv")
    given = parser.parse_args(arguments)
    import torch

    if not torch.cuda.is_available():
        print("error: no GPU that torch can use is on this machine: run `make gpu` where one is, "
              "with a build of torch for it", file=sys.stderr)  # fmt: skip
        return 2
    os.chdir(ROOT)
    start = time.perf_counter()
    if given.kit is not None:
        from tests.gpu.kit import install

        print(f"installed from {given.kit}: {', '.join(install(given.kit)) or 'nothing'}")
    import pytest

    here = Path(__file__).parent
    failed = pytest.main(
        ["-q", "--noconftest", "-p", "no:cacheprovider", str(here / "test_gpu.py")]
    )
    from tests.gpu import measure

    rows = measure.equal_bytes("cuda", SIZES)
    differing = sum(row.value for row in rows)
    rows += measure.bandwidth("cuda")
    rows += measure.half_precision("cuda", scenes(given.kit))
    write(given.out, rows, torch.cuda.get_device_name())
    print(f"{given.out} written in {time.perf_counter() - start:.0f} s")
    return int(bool(failed or differing))


def scenes(kit: Path | None):
    """Return test scenes uint8 (8, 3, 256, 512): of the kit, else rendered."""
    import numpy as np
    import torch

    from tests.gpu.kit import COUNT, SCENES

    if kit is not None and (kit / SCENES).exists():
        images = np.load(kit / SCENES)["images"]
    else:
        from vlmis_utils.datasets.registry import open_dataset

        opened = open_dataset("streetworld", split="test", limit=COUNT, seed=0)
        images = np.stack([scene.image() for scene in opened])
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1)))


def write(path: Path, rows: list, machine: str) -> None:
    """Write rows as CSV, the machine's name in the last column, and print them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*asdict(rows[0]), "machine"], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            print(
                f"{row.subject:<42}{row.inputs:<48}{row.value:>10.4g} {row.unit} ({row.reference})"
            )
            writer.writerow(asdict(row) | {"value": f"{row.value:.6g}", "machine": machine})


if __name__ == "__main__":
    sys.exit(main())
