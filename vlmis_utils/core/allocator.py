"""Keep freed memory in the process: a model's large tensors come and go a thousand times.

By default glibc hands large freed blocks (all above 32 MB) back to the kernel, which fills each new
one with zeros, page by page. For the small models of this study on a CPU that was close to half of
the run time (`tests/benchmarks/bench_allocator.py`).
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["keep_freed_memory"]

# <malloc.h>: the parameters of mallopt(3), and the greatest value of its C int.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_MOST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Make malloc reuse freed memory, whatever the size; the process keeps its peak until it ends.

    Returns:
        whether the C library took it: True with glibc, False elsewhere.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        return False
    return bool(mallopt(_M_TRIM_THRESHOLD, _MOST)) and bool(mallopt(_M_MMAP_MAX, 0))
