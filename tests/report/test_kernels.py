"""Forked kernels: the outputs of any other kernel, a process for each page, nothing left behind."""

from __future__ import annotations

import os
import time
from pathlib import Path

import nbformat
import papermill
import pytest

from vlmis_utils.report.kernels import ForkedKernelManager, Nursery

CELLS = (
    "import os, sys, json\nprint('said')\nprint('warned', file=sys.stderr)",
    "from IPython.display import Markdown\nMarkdown('*bold*')",
    "x = {'a': [1, 2]}\nx",
)
WHO = "import os, sys\nprint(os.getpid(), 'colorsys' in sys.modules)"


def run(folder: Path, cells: tuple[str, ...], **options: object) -> list[nbformat.NotebookNode]:
    page = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
    )
    nbformat.write(page, folder / "in.ipynb")
    done = papermill.execute_notebook(
        folder / "in.ipynb", folder / "out.ipynb", progress_bar=False, **options
    )
    return [output for cell in done.cells for output in cell.outputs]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kernels are forked where the system can")
def test_forked_kernels(tmp_path: Path) -> None:
    with Nursery(tmp_path / "log", ("colorsys",)) as nursery:
        manager = ForkedKernelManager.of(nursery)
        forked = run(tmp_path, CELLS, kernel_manager_class=manager)
        first, second = (
            run(tmp_path, (WHO,), kernel_manager_class=manager)[0].text.split() for _ in range(2)
        )
        with pytest.raises(papermill.PapermillExecutionError, match="no luck"):
            run(tmp_path, ("raise ValueError('no luck')",), kernel_manager_class=manager)
    assert forked == run(tmp_path, CELLS)
    assert first[0] != second[0] and first[1] == second[1] == "True"
    for pid in (int(first[0]), int(second[0])):
        until = time.monotonic() + 20
        while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
            time.sleep(0.1)
        assert not Path(f"/proc/{pid}").exists()


def test_a_dead_nursery_is_said(tmp_path: Path) -> None:
    nursery = Nursery(tmp_path / "log", ("no_such_module_here",))
    with nursery, pytest.raises(RuntimeError, match=r"has died, see pages\.log"):
        nursery.ask(poll=1)
    assert "no_such_module_here" in (tmp_path / "log").read_text()
