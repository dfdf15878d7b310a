"""From pages to executed notebooks: jupytext -> papermill, several pages at a time.

Templates, executed pages and html lie in separate folders of ``build/<study>/``. What an executed
page stands on (its parameters, and a digest of all else) is kept in ``executed/<page>.json``.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import papermill
import pyarrow.parquet as pq
import yaml
from papermill.exceptions import PapermillExecutionError

from vlmis_utils.core import provenance
from vlmis_utils.core.errors import RunError
from vlmis_utils.core.io import write_atomically
from vlmis_utils.core.progress import Progress, say
from vlmis_utils.datasets.registry import told_where
from vlmis_utils.protocol.companion import of_sequences, studies_of
from vlmis_utils.protocol.parameters import STUDY_FILE, write_study
from vlmis_utils.protocol.study import READING, Study, flat
from vlmis_utils.records.run_info import merge_run, read_run
from vlmis_utils.records.schema import SCHEMAS
from vlmis_utils.report.kernels import PRELOADED, ForkedKernelManager, Nursery
from vlmis_utils.report.pages import NOTEBOOKS, Page, find_pages, select

__all__ = ["LACKING", "chosen_pages", "execute", "other_parameters"]

LACKING = "vlmis-lacking"  # marks a page that this study has too little for

_FEW = 3  # pages: so few import what they need by themselves
_PATIENCE = 120  # seconds for the last output of a cell: on a busy machine papermill's 4 are few


def chosen_pages(study: Study, only: str | None) -> list[Page]:
    """Return the pages that start with ``only``, and those that report on them and can run.

    Raises:
        UserError: no page's name starts so.
    """
    pages = find_pages()
    chosen = select(pages, only)
    tables = {t for t in SCHEMAS if (study.records / f"{t}.parquet").exists()}
    return chosen + [p for p in pages if p.last and p not in chosen and tables.issuperset(p.needs)]


def execute(study: Study, pages: Iterable[Page], workers: int | None = None) -> None:
    """Execute pages into ``build/<study>/source/notebooks``, ``workers`` at a time.

    A page whose text, parameters, records and library are unchanged is left as it is.

    Args:
        study: whose records and parameters the pages get.
        pages: which.
        workers: pages at a time; as many as there are cores without it.

    Raises:
        RunError: pages failed; the others were executed all the same.
    """
    pages = list(pages)
    for one in studies_of(study):
        write_study(one)  # pages read there what they do not declare
    state = _state(study)
    failures: list[str] = []
    many = len(pages) > _FEW
    log = study.folder / "pages.log"
    prepared = str(study.records) if many and not study.frames else ""
    kernels = _kernels(workers or provenance.cores(), log, PRELOADED if many else (), prepared)
    with kernels as (executor, options):
        for group in ([p for p in pages if not p.last], [p for p in pages if p.last]):
            jobs = [job for page in group if (job := _job(study, page, state)) is not None]
            if not jobs:
                continue
            with Progress("pages", len(jobs), "pages") as progress:
                running = {executor.submit(_execute_one, job, options): job for job in jobs}
                for future in as_completed(running):
                    job, (seconds, failure) = running[future], future.result()
                    progress.add(1)
                    if failure:
                        failures.append(failure)
                        say(failure)
                        continue
                    write_atomically(job.stamp, json.dumps(job.facts).encode())
                    merge_run(study.records, {"pages": {job.name: round(seconds, 1)}})
    if failures:
        others = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        raise RunError(failures[0] + others)


def other_parameters(study: str | Path) -> dict[str, dict[str, object]]:
    """Return the pages that stand at other parameters than the study, as after ``--only``.

    Args:
        study: the folder ``build/<study>``.

    Returns:
        page -> its parameters that differ, with the values that the page stands at.
    """
    folder = Path(study)
    if not (folder / STUDY_FILE).exists():
        return {}
    known = yaml.safe_load((folder / STUDY_FILE).read_text(encoding="utf-8"))
    found = {}
    for stamp in sorted((folder / "executed").glob("*.json")):
        facts = json.loads(stamp.read_text(encoding="utf-8"))
        mine = facts["parameters"] if isinstance(facts, dict) else {}
        other = {k: v for k, v in mine.items() if k in known and known[k] != v}
        if other:
            found[stamp.stem] = other
    return found


@contextmanager
def _kernels(
    workers: int, log: Path, preloaded: tuple[str, ...], records: str
) -> Iterator[tuple[Executor, dict[str, object]]]:
    """Give an executor of pages, and the options by which papermill starts their kernels."""
    executor = ThreadPoolExecutor(workers)
    if not sys.platform.startswith("linux"):  # elsewhere libraries do not bear a fork
        with executor:
            yield executor, {}
        return
    with Nursery(log, preloaded, records) as nursery:
        try:
            yield executor, {"kernel_manager_class": ForkedKernelManager.of(nursery)}
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class _Job:
    name: str
    template: Path
    output: Path
    stamp: Path
    parameters: dict[str, object]
    defaults: dict[str, object]
    facts: dict[str, object]


def _job(study: Study, page: Page, state: str) -> _Job | None:
    """Return how to execute a page, None where its output is still right."""
    timed = of_sequences(study) if page.sequences else None
    shown = timed or study
    known = flat(study) | {"records": str(shown.records)}
    parameters = {key: known[key] for key in page.parameters if key in known}
    text = page.path.read_text(encoding="utf-8")
    read = {key: known[key] for key in _read_elsewhere(text) if key in known}
    lacking = page.lacking(
        _scenes(shown), len(shown.conditions), told_where(shown), bool(shown.frames)
    )
    facts = [text, parameters, state, provenance.file_facts(page.reads), read, lacking]
    if timed not in (None, study):
        facts.append(_state(timed))
    if page.last:
        facts.append(read_run(study.records))
        facts.append(other_parameters(study.folder))
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
    stands_on = {"fingerprint": digest, "parameters": read | parameters}
    stands_on = json.loads(json.dumps(stands_on, default=str))
    output = study.folder / "source" / NOTEBOOKS / f"{page.name}.ipynb"
    stamp = study.folder / "executed" / f"{page.name}.json"
    if output.exists() and stamp.exists() and json.loads(stamp.read_text()) == stands_on:
        return None
    template = study.folder / "templates" / f"{page.name}.ipynb"
    notebook = _title_and(lacking, page.notebook) if lacking else page.notebook
    write_atomically(template, nbformat.writes(notebook).encode())
    return _Job(page.name, template, output, stamp, parameters, page.parameters, stands_on)


def _scenes(study: Study) -> int:
    path = study.records / "scenes.parquet"
    return pq.read_metadata(path).num_rows if path.exists() else study.scenes


def _title_and(sentence: str, page: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a page of the title and first paragraph of another, its parameters and a sentence."""
    note = nbformat.v4.new_markdown_cell(f"```{{note}}\n{sentence}\n```", id="lacking")
    settings = [c for c in page.cells if "parameters" in c.metadata.get("tags", [])]
    cells = [page.cells[0], *settings[:1], note]
    metadata = {**page.metadata, LACKING: True}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def _read_elsewhere(text: str) -> tuple[str, ...]:
    """Return the parameters that a page takes from ``study.yaml``, not from its own cell."""
    if any(word in text for word in ("open_study(", "write_explorer(", STUDY_FILE)):
        return tuple(flat(Study()))
    return READING if "open_results(" in text or "open_worlds(" in text else ()


def _execute_one(job: _Job, options: dict[str, object]) -> tuple[float, str]:
    """Execute a page; return the seconds it took and, where it failed, one line that says why."""
    start = time.perf_counter()
    job.output.parent.mkdir(parents=True, exist_ok=True)
    draft = job.template.with_suffix(".executed.ipynb")
    try:
        papermill.execute_notebook(
            job.template, draft, job.parameters, progress_bar=False, kernel_name="python3",
            iopub_timeout=_PATIENCE, **options,
        )  # fmt: skip
    except PapermillExecutionError as error:
        reason = " ".join(f"{error.ename}: {error.evalue}".split())[:300]
        return 0.0, f"page {job.name}, cell {error.cell_index}: {reason} (see {draft})"
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return 0.0, f"page {job.name}: {reason}"
    notebook = nbformat.read(draft, as_version=4)
    _tag_injected(notebook, job)
    write_atomically(job.output, nbformat.writes(notebook).encode())
    draft.unlink()
    return time.perf_counter() - start, ""


def _tag_injected(notebook: nbformat.NotebookNode, job: _Job) -> None:
    """Fold the injected parameters away; remove them where they say no more than the page does."""
    said = job.defaults | {"records": job.parameters.get("records")}  # only where, not what
    same = all(said.get(key) == value for key, value in job.parameters.items())
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            cell.metadata["tags"] = [*tags, "remove-cell" if same else "hide-input"]
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)


def _state(study: Study) -> str:
    """Return a digest of what all pages depend on: tables, this package, library versions."""
    digest = hashlib.sha256(provenance.source_digest().encode())
    digest.update(json.dumps(provenance.versions()).encode())
    for table in SCHEMAS:
        path = study.records / f"{table}.parquet"
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()
