"""Preloaded by the process that kernels are forked from: a kernel gives up on a flush at once.

So it does after ten seconds anyway, on a machine that is busy enough.
"""

from __future__ import annotations

from ipykernel.iostream import OutStream

OutStream.flush_timeout = 0.1
