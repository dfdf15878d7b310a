"""Segmenting on one core: glibc's malloc as it comes (the peer) against `keep_freed_memory`.

Each measurement is a process of its own, so that neither way inherits the other's memory; the two
take turns. Times are processor time for an image, of the second of two batches.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

from paired import Row, publish

ROUNDS = 3
SEGMENTERS = ("deeplabv3plus", "segformer", "mask2former")
CHILD = """
import sys, time, torch
from vlmis_utils.core.allocator import keep_freed_memory
from vlmis_utils.protocol.models import find_model, load_catalogue
from vlmis_utils.models.segmentation.loading import load_segmenter
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


def compared(name: str) -> Row:
    """Return the comparison for a segmenter."""
    rounds = [(seconds(name, "kept"), seconds(name, "malloc")) for _ in range(ROUNDS)]
    ratios = [peer / ours for ours, peer in rounds]
    ours, peer = (1000 * statistics.median(side) for side in zip(*rounds, strict=True))
    return Row(
        f"segment, {name}", "8 x 256x512, one thread", "glibc malloc's defaults",
        ours, peer, statistics.median(ratios), min(ratios), max(ratios),
    )  # fmt: skip


if __name__ == "__main__":
    publish("allocator", [compared(name) for name in SEGMENTERS])
