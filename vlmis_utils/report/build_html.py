"""From a folder of pages to html: what the command jupyter-book does, with this Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

from vlmis_utils.core.errors import RunError

__all__ = ["CONFIG", "make_html"]

CONFIG = Path("_config.yml")
_CONFIGURE = "from jupyter_book.cli.main import main; main(prog_name='jupyter-book')"


def make_html(folder: Path, strict: bool = True) -> Path:
    """Build ``<folder>/html`` from ``<folder>/source`` and return its ``index.html``.

    Args:
        folder: holds ``source`` with configuration, table of contents and pages; gets ``html``,
            ``doctrees`` and ``build.log``.
        strict: whether every warning, and every reference that leads nowhere, is an error.

    Raises:
        RunError: Sphinx failed; the message holds its first complaint.
    """
    source, html, log = folder / "source", folder / "html", folder / "build.log"
    options = ["-W", "--keep-going"] if strict else []
    steps = [
        [sys.executable, "-c", _CONFIGURE, "config", "sphinx", str(source)],
        [sys.executable, "-m", "sphinx", "-b", "html", "-n", *options]
        + ["-d", str(folder / "doctrees"), str(source), str(html)],
    ]
    extensions = [str((source / path).resolve()) for path in _local_extensions()]
    known = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([*extensions, *([known] if known else [])])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    with log.open("w", encoding="utf-8") as out:
        for step in steps:
            done = subprocess.run(
                step, stdout=out, stderr=subprocess.STDOUT, env=environment, check=False
            )
            if done.returncode:
                raise RunError(f"the book was not built: {_complaint(log)} (all of it in {log})")
    return html / "index.html"


def _local_extensions() -> list[str]:
    """Return the folders of Sphinx extensions that lie in this repository."""
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    return list(dict.fromkeys(config.get("sphinx", {}).get("local_extensions", {}).values()))


def _complaint(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    marked = [line for line in lines if "WARNING:" in line or "ERROR:" in line]
    marked = marked or [line for line in reversed(lines) if "rror" in line]
    return (marked or lines or ["no output"])[0].strip()[:400]
