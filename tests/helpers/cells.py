"""The code of a page, run in this process: for tests of what pages compute, without a kernel."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from vlmis_utils.report.pages import NOTEBOOKS, Page

__all__ = ["run_cells"]


def run_cells(name: str, parameters: Mapping[str, object]) -> dict[str, object]:
    """Run the code cells of ``notebooks/<name>.md`` one after the other; return their names.

    Args:
        name: of the page.
        parameters: values for keys that the page declares; others are left out.

    Raises:
        AssertionError: a cell failed; the message has the page, the cell's first line, the reason.
    """
    page = Page(Path(NOTEBOOKS) / f"{name}.md")
    module = ModuleType("__page__")
    sys.modules["__page__"] = module
    names = vars(module)
    for cell in page.notebook.cells:
        if cell.cell_type != "code":
            continue
        try:
            exec(compile(cell.source, f"{name}.md", "exec"), names)
        except Exception as error:
            first = cell.source.strip().splitlines()[0]
            reason = f"{type(error).__name__}: {error}"
            raise AssertionError(f"{name}, cell {first!r}: {reason}") from error
        if "parameters" in cell.metadata.get("tags", []):
            names.update({k: v for k, v in parameters.items() if k in page.parameters})
    return names
