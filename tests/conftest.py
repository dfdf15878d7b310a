"""Fixtures that several test files share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Several processes test side by side (pytest-xdist): one thread each, set before torch is imported.
if os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent


# Files whose tests share one dear fixture run in one process, and begin first.
SHARED: dict[str, tuple[str, ...]] = {
    "book": ("report/test_browser.py", "test_security.py"),
    "training": ("training/test_weights_kill.py",),
    "ray": ("runner/ray/test_ray.py",),
}


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests together when several processes share the work; long files first."""
    places = {name: f for f, names in SHARED.items() for name in names}
    groups = {}
    for item in items:
        path = item.path.relative_to(ROOT).as_posix().removeprefix("tests/")
        groups[item] = places.get(path, path)
        item.add_marker(pytest.mark.xdist_group(groups[item]))
    items.sort(key=lambda item: list(SHARED).index(groups[item]) if groups[item] in SHARED else 99)


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
