"""Freed memory stays in the process: touching it again costs no new pages from the kernel."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHILD = """
import resource, sys, numpy as np
from vlmis_utils.core.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
for _ in range(3):
    np.ones(8_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(8_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(way: str) -> int:
    command = [sys.executable, "-c", CHILD, way]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_kept_memory_is_not_faulted_in_again() -> None:
    # 64 MB, past the greatest size that glibc keeps by itself, are 16000 pages, or 32 huge ones.
    assert faults("kept") < 20 <= faults("malloc")
