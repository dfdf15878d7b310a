"""Pages: parameters go in by name, outputs come out elsewhere, a failure is one line."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.protocol.study import KEYS, Study
from vlmis_utils.records.run_info import read_run
from vlmis_utils.report import book, execution
from vlmis_utils.report import pages as execute
from vlmis_utils.report.kernels import ForkedKernelManager, Nursery

PAGE = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
{front}
---
# A page

```{{code-cell}} ipython3
:tags: [parameters]

records = "build/x/records"  # folder
top_k = 4  # classes
colour = "red"  # of this page alone
```

```{{code-cell}} ipython3
{code}
```
"""


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """Options that fork the kernels of all tests from one process; it has imported what they do."""
    log = tmp_path_factory.mktemp("kernels") / "log"
    modules = ("tests.helpers.hasty", "ipykernel.kernelapp", "vlmis_utils.analysis.open_results")
    with Nursery(log, modules) as nursery:
        yield {"kernel_manager_class": ForkedKernelManager.of(nursery)}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernels: dict[str, object]) -> Path:
    @contextlib.contextmanager
    def shared(workers: int, *_: object) -> Iterator[tuple]:
        with ThreadPoolExecutor(workers) as executor:
            yield executor, kernels

    monkeypatch.setattr(execution, "_kernels", shared)
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def write(root: Path, **pages: str | tuple[str, str]) -> None:
    for name, page in pages.items():
        code, front = page if isinstance(page, tuple) else (page, "")
        text = PAGE.format(code=textwrap.dedent(code), front=front)
        (root / "notebooks" / f"{name}.md").write_text(text)
    files = "".join(f"\n  - file: notebooks/{name}" for name in list(pages)[1:])
    chapters = f"\nchapters:{files}" if files else ""
    cover = f"notebooks/{next(iter(pages))}"
    (root / "_toc.yml").write_text(f"format: jb-book\nroot: {cover}{chapters}")


def output(root: Path, study: Study, name: str) -> nbformat.NotebookNode:
    return nbformat.read(root / study.folder / "source" / "notebooks" / f"{name}.ipynb", 4)


def texts(notebook: nbformat.NotebookNode) -> str:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return "".join(o.get("text", "") for cell in cells for o in cell.outputs)


def test_parameters_reach_a_page_by_name_and_it_stays_where_it_was(repository: Path) -> None:
    write(repository, a="print(top_k, colour, records)")
    study = Study(study="x", top_k=7, pages={"colour": "blue"})
    execution.execute(study, execute.find_pages())
    notebook = output(repository, study, "a")
    assert texts(notebook).split() == ["7", "blue", "build/x/records"]
    assert [p.name for p in (repository / "notebooks").iterdir()] == ["a.md"]
    injected = [c for c in notebook.cells if "injected-parameters" in c.metadata.get("tags", [])]
    assert len(injected) == 1 and "hide-input" in injected[0].metadata["tags"]
    assert str(repository) not in nbformat.writes(notebook)


def test_a_page_runs_again_only_when_something_changed(repository: Path) -> None:
    write(repository, a="import time; print(time.time())")
    study = Study(study="x")

    def again(changed: Study = study) -> str:
        execution.execute(changed, execute.find_pages())
        return texts(output(repository, study, "a"))

    first = again()
    assert again() == first
    assert again(replace(study, bootstrap=77)) == first  # not one of its parameters
    second = again(replace(study, top_k=2))
    assert second != first
    write(repository, a="import time; print(time.time(), 'changed')")
    third = again(replace(study, top_k=2))
    assert "changed" in third
    study.records.mkdir(parents=True, exist_ok=True)
    (study.records / "answers.parquet").write_bytes(b"other records")
    assert again(replace(study, top_k=2)) != third


def test_a_page_that_opens_results_takes_the_rest_from_the_study(repository: Path) -> None:
    code = """
    import time
    from vlmis_utils import open_results
    results = open_results(records)
    print(time.time(), results.bootstrap)
    """
    write(repository, a=code)
    study = Study(study="x", bootstrap=77)

    def again(changed: Study = study) -> str:
        execution.execute(changed, execute.find_pages())
        return texts(output(repository, study, "a"))

    first = again()
    assert first.strip().endswith("77")
    assert again(replace(study, batch_size=3)) == first  # nothing that a page reads
    assert again(replace(study, bootstrap=78)).strip().endswith("78")


def test_a_page_runs_again_when_a_folder_that_it_reads_has_changed(repository: Path) -> None:
    code = "import time; print(time.time())"
    write(repository, a=(code, "vlmis: {reads: [kept]}"), b=code)
    Path("kept").mkdir()
    study = Study(study="x")

    def both() -> list[str]:
        execution.execute(study, execute.find_pages())
        return [texts(output(repository, study, name)) for name in "ab"]

    first = both()
    assert both() == first
    Path("kept/measured.csv").write_text("a,b", encoding="utf-8")
    second = both()
    assert second[0] != first[0] and second[1] == first[1]


def test_a_failing_page_is_one_line_and_others_still_run(repository: Path) -> None:
    write(repository, a="print(1)", b="x = 1\nraise ValueError('no\\nluck')", c="print(3)")
    study = Study(study="x")
    with pytest.raises(RunError) as caught:
        execution.execute(study, execute.find_pages())
    message = str(caught.value)
    assert message.startswith("page b, cell ") and "ValueError: no luck" in message
    assert "\n" not in message
    assert texts(output(repository, study, "c")).strip() == "3"
    assert not (study.folder / "source" / "notebooks" / "b.ipynb").exists()


def test_what_a_busy_machine_prints_late_is_waited_for(repository: Path) -> None:
    code = """
    import time
    get_ipython().kernel.iopub_thread.schedule(lambda: time.sleep(1))
    print("late")
    """
    write(repository, a=code)
    study = Study(study="x")
    execution.execute(study, execute.find_pages())
    assert texts(output(repository, study, "a")) == "late\n"


def test_the_last_page_sees_how_long_the_others_took(repository: Path) -> None:
    code = """
    import json
    print(sorted(json.load(open(records + "/run.json"))["pages"]))
    """
    write(repository, last=(code, "vlmis: {last: true}"), a="print(1)")
    study = Study(study="x")
    execution.execute(study, execute.find_pages())
    assert texts(output(repository, study, "last")).strip() == "['a']"
    assert set(read_run(study.records)["pages"]) == {"a", "last"}


def test_a_page_of_pictures_says_that_they_are_not_at_hand(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VLMIS_CAMVID", raising=False)
    write(repository, a=("print('a picture')", "vlmis: {frames: true}"))
    for study, shown in (
        (Study(study="x", dataset="camvid"), False),
        (Study(study="y", dataset="camvid", data_root="photographs"), True),
        (Study(study="z"), True),
    ):
        execution.execute(study, execute.find_pages())
        notebook = output(repository, study, "a")
        assert ("a picture" in nbformat.writes(notebook)) == shown
        assert ("`data_root`" in notebook.cells[-1].source) != shown


def test_a_page_that_a_study_has_too_little_for_says_so(repository: Path) -> None:
    write(repository, a=("print('all of it')", "vlmis: {least: {conditions: 4}}"), b="print(1)")
    study = Study(study="x", conditions=("clean", "LL3"))
    execution.execute(study, execute.find_pages())
    notebook = output(repository, study, "a")
    assert "all of it" not in nbformat.writes(notebook)
    assert "at least 4 conditions (it has 2)" in notebook.cells[-1].source
    assert notebook.cells[0].source == "# A page" and execution.LACKING in notebook.metadata
    execution.execute(
        replace(study, conditions=("clean", "LL1", "LL2", "LL3")), execute.find_pages()
    )
    assert texts(output(repository, study, "a")).strip() == "all of it"


def test_pages_at_other_parameters_are_known(repository: Path) -> None:
    write(repository, a="print(top_k)", b="print(top_k)")
    study = Study(study="x", top_k=4)
    execution.execute(study, execute.find_pages())
    assert execution.other_parameters(study.folder) == {}
    changed = replace(study, top_k=5)
    execution.execute(changed, execution.chosen_pages(changed, "a"))
    assert execution.other_parameters(study.folder) == {"b": {"top_k": 4}}
    path = repository / study.folder / "source" / "notebooks" / "b.ipynb"
    book.note_parameters(path, {"top_k": 4})
    assert "other parameters" in nbformat.read(path, 4).cells[1].source
    book.note_parameters(path, {})
    assert "other parameters" not in nbformat.writes(nbformat.read(path, 4))


def test_a_page_says_once_how_to_run_it(repository: Path) -> None:
    write(repository, a="print(1)")
    study = Study(study="x")
    execution.execute(study, execute.find_pages())
    path = repository / study.folder / "source" / "notebooks" / "a.ipynb"
    for _ in range(2):
        book.note_run(path, "a")
        said = [c.source for c in nbformat.read(path, 4).cells if "Run this page" in c.source]
        assert len(said) == 1 and "notebooks/a.md" in said[0] and "--only a" in said[0]


def test_a_page_is_chosen_by_the_start_of_its_name(repository: Path) -> None:
    write(repository, **{"05-4-models": "print(1)", "06-1-tables": "print(2)"})
    pages = execute.find_pages()
    assert [p.name for p in execute.select(pages, "05-4")] == ["05-4-models"]
    assert execute.select(pages, None) == pages
    with pytest.raises(UserError, match="no page starts with '07'"):
        execute.select(pages, "07")


def test_a_page_that_does_not_exist_is_named(repository: Path) -> None:
    write(repository, a="print(1)")
    with (repository / "_toc.yml").open("a") as toc:
        toc.write("\nchapters:\n  - file: book/nothing")
    with pytest.raises(RunError, match="'book/nothing', which does not exist"):
        execute.find_pages()


def test_without_a_table_of_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="folder of the repository"):
        execute.find_pages()


def test_what_a_page_needs(repository: Path) -> None:
    write(repository, a=("print(1)", "vlmis: {needs: [segmentation]}"), b="print(1)")
    first, second = execute.find_pages()
    assert first.needs == ("segmentation",)
    assert set(second.needs) == {"scenes", "conditions", "segmentation", "answers"}


def test_pages_of_the_book_declare_known_parameters_with_the_right_defaults() -> None:
    defaults = Study()
    pages = execute.find_pages()
    assert len(pages) >= 10
    for page in pages:
        for key, value in page.parameters.items():
            if key in KEYS:
                known = getattr(defaults, key)
                known = list(known) if isinstance(known, tuple) else known
                assert value == known, f"{page.name}: {key}"
