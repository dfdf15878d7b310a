"""The list of oracles is complete, and its files are there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

from vlmis_utils import statistics
from vlmis_utils.analysis.validation.oracles import ORACLES

# These make studies up and judge the others by them.
JUDGES = {"simulation", "error_rates", "oracles"}


def public() -> set[str]:
    """Names of the functions that the modules of the package show."""
    names = {module.name for module in pkgutil.iter_modules(statistics.__path__)} - JUDGES
    modules = [importlib.import_module(f"{statistics.__name__}.{name}") for name in names]
    return {n for m in modules for n in m.__all__ if inspect.isfunction(getattr(m, n))}


def test_every_public_function_has_one_oracle() -> None:
    named = [oracle.function for oracle in ORACLES]
    assert len(named) == len(set(named))
    assert set(named) == public()


def test_the_named_test_speaks_of_the_function() -> None:
    for oracle in ORACLES:
        text = (Path("tests/statistics") / oracle.test).read_text()
        assert oracle.function in text, oracle
