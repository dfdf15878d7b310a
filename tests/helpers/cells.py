"""The code of a page, run in this process: for tests of what pages compute, without a kernel."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from vlmis_utils.report.pages import NOTEBOOKS, Page

__all__ = ["run_cells", "run_imports", "run_solutions", "solutions"]


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


def run_imports(name: str) -> dict[str, object]:
    """Return the names that the cells of a page import, without running anything else."""
    names: dict[str, object] = {}
    for cell in Page(Path(NOTEBOOKS) / f"{name}.md").notebook.cells:
        for node in ast.walk(ast.parse(cell.source)) if cell.cell_type == "code" else ():
            if isinstance(node, ast.Import | ast.ImportFrom):
                exec(ast.unparse(node), names)
    return names


def solutions(path: Path) -> dict[str, list[str]]:
    """Return the label of each exercise of a page to the blocks of code in its solution.

    Raises:
        AssertionError: an exercise has no solution, or a solution no exercise.
    """
    text = path.read_text(encoding="utf-8")
    parts = re.findall(r"^(:+)\{solution\} (\S+)$(.*?)^\1\s*$", text, re.MULTILINE | re.DOTALL)
    exercises = re.findall(r"^:+\{exercise\}.*?:label: (\S+)", text, re.MULTILINE | re.DOTALL)
    assert [label for _, label, _ in parts] == exercises, path
    return {label: re.findall(r"```python\n(.*?)```", body, re.DOTALL) for _, label, body in parts}


def run_solutions(name: str, names: dict[str, object]) -> list[object]:
    """Run the code of a page's solutions; return what the last expression of each block shows."""
    shown = []
    for block in sum(solutions(Path(NOTEBOOKS) / f"{name}.md").values(), []):
        *before, last = ast.parse(block).body
        if not isinstance(last, ast.Expr):
            exec(block, names)
            continue
        exec(compile(ast.Module(before, []), name, "exec"), names)
        shown.append(eval(ast.unparse(last.value), names))
    return shown
