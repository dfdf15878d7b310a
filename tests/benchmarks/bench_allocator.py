"""Segmenting on one core: glibc's malloc as it comes (the peer) against `keep_freed_memory`.

Run it with `make bench`. Each side runs in processes of its own, in turn; the ratio is of medians.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 5
SEGMENTERS = ("deeplabv3plus", "segformer", "mask2former")
CHILD = """
import sys, time, torch
from vlmis_utils.allocator import keep_freed_memory
from vlmis_utils.catalogue import find_model, load_catalogue
from vlmis_utils.segmenters import load_segmenter
torch.set_num_threads(1)
if sys.argv[2] == "kept":
    assert keep_freed_memory(), "no glibc here"
segmenter = load_segmenter(find_model(load_catalogue(), sys.argv[1]))
images = torch.randint(0, 256, (8, 3, 256, 512), dtype=torch.uint8)
segmenter.predict(images)
start = time.process_time()
segmenter.predict(images)
print((time.process_time() - start) / len(images))
"""


def seconds(name: str, way: str) -> float:
    """Return processor seconds an image in a fresh process."""
    command = [sys.executable, "-c", CHILD, name, way]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    print(f"{'segmenter':<15}{'malloc, ms':>12}{'kept, ms':>12}{'ratio':>8}")
    for name in SEGMENTERS:
        rounds = [(seconds(name, "malloc"), seconds(name, "kept")) for _ in range(ROUNDS)]
        peer, ours = (1000 * statistics.median(side) for side in zip(*rounds, strict=True))
        print(f"{name:<15}{peer:>12.1f}{ours:>12.1f}{peer / ours:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
