"""Fixtures that several test files share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from vlmis_utils.core.provenance import cores

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Several processes test side by side (pytest-xdist): one thread each, set before torch is imported.
if os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples in every run, so that a change is judged by what it changed;
# HYPOTHESIS_PROFILE=random looks for new ones. How long one takes says how busy the machine is.
_UNTIMED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("repeatable", derandomize=True, database=None, **_UNTIMED)
settings.register_profile("random", derandomize=False, **_UNTIMED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

ROOT = Path(__file__).resolve().parent.parent


# Files that take minutes begin first, so that no process works alone at the end.
LONG: tuple[str, ...] = (
    "test_browser.py", "test_any_study.py", "test_ray.py", "test_weights_kill.py", "test_kill.py",
    "test_security.py", "test_cli.py", "test_run.py", "test_pages.py", "test_packed_decoding.py",
)  # fmt: skip


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: some tests wait, for a cluster or a server."""
    return cores() + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first; a file's tests stay together, in one process (--dist loadfile)."""
    items.sort(key=lambda i: LONG.index(i.path.name) if i.path.name in LONG else len(LONG))


@pytest.fixture(autouse=True)
def _in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameter files, catalogue and pages are named relative to the repository."""
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give the one browser of all tests: Playwright runs once in a process."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "no chromium: install it, 'apt-get install chromium', as .ci/run does"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=[
                "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                "--no-first-run", "--disable-component-update", "--disable-sync",
            ],
        )  # fmt: skip
        yield browser
        browser.close()


@pytest.fixture
def counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give a function that returns, and forgets, how many images each fake model saw."""
    path = tmp_path / "counts.txt"
    monkeypatch.setenv("VLMIS_TEST_COUNTS", str(path))

    def seen() -> dict[str, int]:
        totals: dict[str, int] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                model, images = line.split()
                totals[model] = totals.get(model, 0) + int(images)
            path.unlink()
        return totals

    return seen
