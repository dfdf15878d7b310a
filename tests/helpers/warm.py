"""Imported once by the process that tests fork theirs from: runs the tiny study, so that all of it
is imported and compiled.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import torch

from tests.helpers import children, fakes
from vlmis_utils.runner import run

torch.set_num_threads(1)
with (
    tempfile.TemporaryDirectory() as folder,
    Path(os.devnull).open("w") as nowhere,
    contextlib.redirect_stderr(nowhere),
):
    run.run(children.study_in(Path(folder)), loaders=fakes.LOADERS)
