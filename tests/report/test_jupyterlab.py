"""JupyterLab on the pages: each opens as a notebook, and its kernel starts in the repository."""

from __future__ import annotations

import asyncio
from pathlib import Path

import nbformat
import pytest
from jupyterlab.labapp import LabApp
from jupyterlab_server.config import ConfigManager
from jupytext import TextFileContentsManager
from jupytext_config.labconfig import LabConfig

from vlmis_utils.report.lab import arguments, main
from vlmis_utils.report.lab_kernels import FolderKernels
from vlmis_utils.report.pages import find_pages


def test_kernels_start_in_the_folder_that_is_served(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    kernels = FolderKernels(root_dir=str(tmp_path))
    assert kernels.cwd_for_path("notebooks/a.md") == str(tmp_path)
    given = dict(word.lstrip("-").split("=") for word in arguments(tmp_path))
    assert given["ServerApp.root_dir"] == str(tmp_path)
    assert given["ServerApp.kernel_manager_class"].endswith(f".{FolderKernels.__name__}")


def test_a_double_click_opens_a_page_as_a_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "elsewhere")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr(LabApp, "launch_instance", lambda _: None)
    assert main([]) == 0
    settings = ConfigManager(config_dir_name="labconfig").get("default_setting_overrides")
    # What jupytext itself writes for a reader who asks for it.
    theirs = LabConfig(settings_file=tmp_path / "none").set_default_viewers(["markdown", "myst"])
    assert settings == theirs.config


def test_every_page_opens_as_a_notebook_and_saving_keeps_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    for name in ("jupytext.toml", *(page.path.name for page in find_pages())):
        (tmp_path / "notebooks" / name).write_bytes((Path("notebooks") / name).read_bytes())
    manager = TextFileContentsManager(root_dir=str(tmp_path))
    for place, page in enumerate(find_pages()):
        path = f"notebooks/{page.path.name}"
        opened = _now(manager.get(path, type="notebook"))
        assert opened["type"] == "notebook"
        sources = [cell["source"] for cell in opened["content"]["cells"]]
        assert sources == [cell.source for cell in page.notebook.cells]
        if place:
            continue
        _now(manager.save({"type": "notebook", "content": opened["content"]}, path))
        beside = tmp_path / "notebooks" / f"{page.name}.ipynb"
        assert [c.source for c in nbformat.read(beside, 4).cells] == sources
        saved = type(page)(tmp_path / path).notebook
        assert [c.source for c in saved.cells] == sources
        assert saved.metadata.get("vlmis") == page.notebook.metadata.get("vlmis")
        assert "jupytext_version" not in (tmp_path / path).read_text(encoding="utf-8")


def _now(result: object) -> dict:
    """Return what a contents manager gives, which some versions promise only."""
    return asyncio.run(result) if asyncio.iscoroutine(result) else result
