"""From pages to a book: jupytext -> papermill -> jupyter-book.

A page is a MyST text notebook in `notebooks/`. Templates, executed pages and html lie in separate
folders of ``build/<study>/``. A page declares the parameters that it uses in its cell tagged
``parameters`` and gets those, and ``records``, the folder of the study's tables. Front matter may
say which tables a page needs, ``vlmis: {needs: [segmentation]}``; which folders it reads beside
them, ``reads: [book/measured]``; and that it runs after all others, to report on them,
``last: true``.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable
from concurrent.futures import as_completed
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jupytext
import nbformat
import papermill
import yaml
from papermill.exceptions import PapermillExecutionError

from vlmis_utils.core import provenance
from vlmis_utils.core.errors import RunError, UserError, closest
from vlmis_utils.core.io import write_atomically
from vlmis_utils.core.processes import pool
from vlmis_utils.core.progress import Progress, say
from vlmis_utils.protocol.parameters import write_study
from vlmis_utils.protocol.study import READING, Study, flat
from vlmis_utils.records.schema import SCHEMAS

__all__ = ["NOTEBOOKS", "Page", "execute", "find_pages", "page_keys", "select"]

NOTEBOOKS = Path("notebooks")
TOC = Path("_toc.yml")


@dataclass(frozen=True)
class Page:
    """A page of the book that runs.

    Attributes:
        path: the text notebook, relative to the repository.
    """

    path: Path

    @property
    def name(self) -> str:
        """File name without ending, such as ``05-4-vision-language-models``."""
        return self.path.stem

    @cached_property
    def notebook(self) -> nbformat.NotebookNode:
        """The page as an unexecuted notebook."""
        return jupytext.read(self.path)

    @cached_property
    def parameters(self) -> dict[str, object]:
        """The parameters that the page declares, with their defaults."""
        found = papermill.inspect_notebook(self.notebook)
        return {name: _literal(about["default"]) for name, about in found.items()}

    @property
    def needs(self) -> tuple[str, ...]:
        """Tables of the records that the page reads; all unless its front matter says."""
        return tuple(self._front.get("needs", SCHEMAS))

    @property
    def reads(self) -> tuple[Path, ...]:
        """Folders of the repository that the page reads beside the records; front matter says."""
        return tuple(Path(str(name)) for name in self._front.get("reads", ()))

    @property
    def last(self) -> bool:
        """Whether the page runs after all others."""
        return bool(self._front.get("last", False))

    @property
    def _front(self) -> dict[str, object]:
        return self.notebook.metadata.get("vlmis", {})


def find_pages() -> list[Page]:
    """Return the pages that run, in the order of the table of contents.

    Raises:
        RunError: the table of contents is missing, or names a file that does not exist.
    """
    if not TOC.exists():
        raise RunError(f"no {TOC} here: run vlmis in the folder of the repository")
    names = _files(yaml.safe_load(TOC.read_text(encoding="utf-8")))
    for name in names:
        if not any(Path(name).with_suffix(end).exists() for end in (".md", ".ipynb")):
            raise RunError(f"{TOC} names {name!r}, which does not exist: write it or remove it")
    return [Page(Path(f"{n}.md")) for n in names if Path(n).parent == NOTEBOOKS]


def page_keys() -> frozenset[str]:
    """Return every parameter that some page declares."""
    return frozenset(key for page in find_pages() for key in page.parameters)


def select(pages: Iterable[Page], only: str | None) -> list[Page]:
    """Return the pages whose name starts with ``only`` (all without it).

    Raises:
        UserError: no page's name starts so.
    """
    pages = list(pages)
    chosen = [page for page in pages if page.name.startswith(only or "")]
    if not chosen:
        raise UserError(f"no page starts with {only!r}{closest(only, [p.name for p in pages])}")
    return chosen


def execute(study: Study, pages: Iterable[Page], workers: int = 2) -> None:
    """Execute pages into ``build/<study>/source/notebooks``, ``workers`` at a time.

    A page whose text, parameters, records and library are unchanged is left as it is.

    Raises:
        RunError: pages failed; the others were executed all the same.
    """
    pages = list(pages)
    write_study(study)  # pages read there what they do not declare
    state = _state(study)
    failures: list[str] = []
    for group in ([p for p in pages if not p.last], [p for p in pages if p.last]):
        jobs = [job for page in group if (job := _job(study, page, state)) is not None]
        if not jobs:
            continue
        log = study.folder / "pages.log"
        with (
            Progress("pages", len(jobs), "pages") as progress,
            pool(min(workers, len(jobs)), log=log) as executor,
        ):
            running = {executor.submit(_execute_one, job): job for job in jobs}
            for future in as_completed(running):
                job, (seconds, failure) = running[future], future.result()
                progress.add(1)
                if failure:
                    failures.append(failure)
                    say(failure)
                    continue
                write_atomically(job.stamp, json.dumps(job.fingerprint).encode())
                provenance.merge_run(study.records, {"pages": {job.name: round(seconds, 1)}})
    if failures:
        others = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        raise RunError(failures[0] + others)


@dataclass(frozen=True)
class _Job:
    name: str
    template: Path
    output: Path
    stamp: Path
    parameters: dict[str, object]
    defaults: dict[str, object]
    fingerprint: str


def _job(study: Study, page: Page, state: str) -> _Job | None:
    """Return how to execute a page, None where its output is still right."""
    known = flat(study) | {"records": str(study.records)}
    parameters = {key: known[key] for key in page.parameters if key in known}
    facts = [page.path.read_text(encoding="utf-8"), parameters, state]
    facts.append(provenance.file_facts(page.reads))
    if "open_results(" in facts[0]:  # takes the other parameters from study.yaml
        facts.append({key: known[key] for key in READING})
    if page.last:
        facts.append(provenance.read_run(study.records))
    text = json.dumps(facts, sort_keys=True, default=str)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    output = study.folder / "source" / NOTEBOOKS / f"{page.name}.ipynb"
    stamp = study.folder / "executed" / f"{page.name}.json"
    if output.exists() and stamp.exists() and stamp.read_text() == json.dumps(fingerprint):
        return None
    template = study.folder / "templates" / f"{page.name}.ipynb"
    write_atomically(template, nbformat.writes(page.notebook).encode())
    return _Job(page.name, template, output, stamp, parameters, page.parameters, fingerprint)


def _execute_one(job: _Job) -> tuple[float, str]:
    """Execute a page; return the seconds it took and, where it failed, one line that says why."""
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    start = time.perf_counter()
    job.output.parent.mkdir(parents=True, exist_ok=True)
    draft = job.template.with_suffix(".executed.ipynb")
    try:
        papermill.execute_notebook(
            job.template, draft, job.parameters, progress_bar=False, kernel_name="python3"
        )
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
    """Fold the injected parameters away; remove them where they only repeat the defaults."""
    same = all(job.defaults.get(key) == value for key, value in job.parameters.items())
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


def _files(node: object) -> list[str]:
    """Return the files that a table of contents names, in order."""
    if isinstance(node, list):
        return [name for part in node for name in _files(part)]
    if not isinstance(node, dict):
        return []
    own = [node[key] for key in ("root", "file") if key in node]
    parts = [node[key] for key in ("parts", "chapters", "sections") if key in node]
    return own + [name for part in parts for name in _files(part)]


def _literal(text: object) -> object:
    try:
        value = yaml.safe_load(str(text).replace("None", "null"))
    except yaml.YAMLError:
        return text
    return value
