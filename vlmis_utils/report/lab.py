"""JupyterLab on the pages: text notebooks open as notebooks and run in the repository's folder.

``make lab`` starts it. A page names its files from the repository, as `vlmis` does, so kernels
start there and not in the folder of the page. Jupytext reads and writes the pages; an ``.ipynb``
that it keeps beside one, for the outputs, is ignored by git. A double click opens a page as a
notebook, which ``labconfig/`` beside this file asks for; a reader's own settings come first.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from vlmis_utils.core.errors import UserError
from vlmis_utils.core.progress import say

__all__ = ["arguments", "main"]


def arguments(root: Path) -> list[str]:
    """Return the options by which JupyterLab serves a repository.

    Args:
        root: its folder; kernels start there.
    """
    return [
        f"--ServerApp.root_dir={root}",
        "--ServerApp.contents_manager_class=jupytext.TextFileContentsManager",
        "--ServerApp.kernel_manager_class=vlmis_utils.report.lab_kernels.FolderKernels",
    ]


def main(argv: list[str] | None = None) -> int:
    """Start JupyterLab in the repository; return the exit code where it is not installed."""
    try:
        from jupyterlab.labapp import LabApp
    except ImportError:
        say(f"error: {UserError('JupyterLab is needed: pip install vlmis[lab]')}")
        return 1
    words = sys.argv[1:] if argv is None else argv
    folders = [str(Path(__file__).parent), os.environ.get("JUPYTER_CONFIG_PATH")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, folders))
    LabApp.launch_instance([*arguments(Path.cwd()), *words])
    return 0


if __name__ == "__main__":
    sys.exit(main())
