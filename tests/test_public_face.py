"""What ``from vlmis_utils import ...`` gives: the thirteen names, lazily, and no more."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import vlmis_utils

NAMES = (
    "CONDITIONS", "confusion", "corrupt", "critical_omission_rate", "hallucination_rate", "iou",
    "load_study", "mentions", "open_dataset", "open_results", "parse_presence", "parse_safety",
    "safety_misinterpretation_rate",
)  # fmt: skip


def fresh(code: str) -> str:
    """Run code in a new process and return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_there_and_documented(name: str) -> None:
    found = getattr(vlmis_utils, name)
    assert name in vlmis_utils.__all__ and name in dir(vlmis_utils)
    if name != "CONDITIONS":
        assert callable(found) and len(inspect.getdoc(found) or "") > 60
        assert found.__name__ == name


def test_no_more_than_these() -> None:
    assert set(vlmis_utils.__all__) == set(NAMES)
    with pytest.raises(AttributeError, match="mentionz"):
        _ = vlmis_utils.mentionz
    with pytest.raises(ImportError):
        from vlmis_utils import nothing_of_this_name  # noqa: F401


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, vlmis_utils; print([m for m in ('torch', 'pandas', 'numpy', 'kornia', "
    code += "'pyarrow', 'matplotlib', 'transformers', 'yaml') if m in sys.modules])"
    assert fresh(code) == "[]"


@pytest.mark.parametrize(
    "name", ["mentions", "parse_safety", "hallucination_rate", "iou", "CONDITIONS", "load_study"]
)
def test_what_is_light_stays_light(name: str) -> None:
    code = f"import sys; from vlmis_utils import {name}; "
    code += "print([m for m in ('torch', 'pandas', 'transformers') if m in sys.modules])"
    assert fresh(code) == "[]"


def test_all_at_once() -> None:
    assert fresh("from vlmis_utils import *; print(parse_safety('No.'), len(CONDITIONS))") == (
        "unsafe 10"
    )


def test_submodules_are_still_imported_as_such() -> None:
    code = "import vlmis_utils.metrics.language as l, vlmis_utils; "
    code += "print(vlmis_utils.hallucination_rate is l.hallucination_rate)"
    assert fresh(code) == "True"
