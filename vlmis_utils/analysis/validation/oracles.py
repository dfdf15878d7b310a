"""Against what each function of `statistics` is tested: an implementation that is not ours.

The docstring of a function says so in its line "Checked against"; the tests themselves lie in the
file of the same name under ``tests``.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re

import pandas as pd

from vlmis_utils import statistics

__all__ = ["oracles"]

_CHECKED = re.compile(r"Checked against: (.+?)\.(?=\n\s*\n|\s*\Z)", re.DOTALL)


def oracles() -> pd.DataFrame:
    """Return one row for each public function: function, computes, checked, test.

    ``computes`` is the first line of its docstring, ``checked`` the independent implementations or
    properties, empty where the docstring names none; ``test`` the file under ``tests``.
    """
    names = [f"statistics.{m.name}" for m in pkgutil.iter_modules(statistics.__path__)]
    rows = []
    for name in (*names, "metrics.miou_intervals"):
        module = importlib.import_module(f"vlmis_utils.{name}")
        folder, _, file = name.rpartition(".")
        for function in filter(inspect.isfunction, map(vars(module).get, module.__all__)):
            text = inspect.getdoc(function) or ""
            computes = text.split("\n\n")[0].replace("\n", " ").removeprefix("Return ")
            found = _CHECKED.search(text)
            checked = " ".join(found[1].split()) if found else ""
            rows.append((function.__name__, computes, checked, f"{folder}/test_{file}.py"))
    return pd.DataFrame(rows, columns=["function", "computes", "checked", "test"])
