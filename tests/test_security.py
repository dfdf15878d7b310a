"""What comes from elsewhere is data: weights, YAML, names of files, and what a model says."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
import papermill
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from playwright.sync_api import Browser

from tests.helpers.synthetic import write_records
from vlmis_utils.core.errors import UserError
from vlmis_utils.core.formatting import verbatim
from vlmis_utils.protocol.class_map import load_class_map
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.schema import SCHEMAS
from vlmis_utils.report import pages as execute
from vlmis_utils.report.kernels import ForkedKernelManager, Nursery

PACKAGE = Path("vlmis_utils")
# The converter of public checkpoints, and training, which reads back its own unfinished state.
UNPICKLE = {"models/convert.py", "training/loop.py", "training/nets/pixels.py"} | {
    "training/evaluation/agreement.py"
}
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}


def sources() -> Iterator[tuple[str, ast.AST]]:
    """Every module of the package, and the code of every page."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))
    for page in execute.find_pages():
        cells = [cell.source for cell in page.notebook.cells if cell.cell_type == "code"]
        yield page.path.as_posix(), ast.parse("\n".join(cells))


def called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def keywords(node: ast.Call) -> dict[str, str]:
    return {keyword.arg or "**": ast.unparse(keyword.value) for keyword in node.keywords}


def test_no_source_unpickles_evaluates_or_trusts_code() -> None:
    wrong, unpickles = [], set()
    for name, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names]
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                wrong += [(name, n) for n in names if n.partition(".")[0] in MODULES]
            if not isinstance(node, ast.Call):
                continue
            function, given = called(node), keywords(node)
            if function in ("eval", "exec", "compile", "os.system", "os.popen", "__import__"):
                wrong.append((name, function))
            if given.get("shell") == "True" or given.get("trust_remote_code", "False") != "False":
                wrong.append((name, ast.unparse(node)))
            if given.get("allow_pickle", "False") != "False":
                wrong.append((name, ast.unparse(node)))
            if function == "torch.load":
                unpickles.add(name)
                if given.get("weights_only") != "True":
                    wrong.append((name, ast.unparse(node)))
            if function in ("yaml.load", "yaml.load_all") and given.get("Loader") != "_Core":
                wrong.append((name, ast.unparse(node)))
            if function.startswith("yaml.") and ("unsafe" in function or "full" in function):
                wrong.append((name, function))
            if function.endswith("from_pretrained") and "trust_remote_code" in given:
                if function.startswith("AutoModel") and given.get("use_safetensors") != "True":
                    wrong.append((name, ast.unparse(node)))
    assert not wrong
    assert "models/convert.py" in unpickles and unpickles <= UNPICKLE


def test_the_loader_that_is_no_plain_safe_loader_is_a_safe_one() -> None:
    from vlmis_utils.core import strict_yaml

    assert issubclass(strict_yaml._Core, yaml.SafeLoader)


def test_nothing_that_a_study_runs_can_unpickle() -> None:
    """Training is a world of its own: no import leads from the command line into it."""
    imports = {name: imported(tree) for name, tree in sources()}
    reached, ahead = set(), ["__main__.py"]
    while ahead:
        name = ahead.pop()
        if name in imports and name not in reached:
            reached.add(name)
            ahead += imports[name]
    expected = {"runner/run.py", "runner/tasks.py", "models/vlm/generative.py"}
    assert expected | {"models/segmentation/backends.py"} <= reached
    assert reached & UNPICKLE == {"models/convert.py"}


def imported(tree: ast.AST) -> set[str]:
    """Return the files of the package that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    inside = {n.partition(".")[2].replace(".", "/") for n in found if n.startswith("vlmis_utils")}
    return {f"{name}.py" for name in inside} | {f"{name}/__init__.py" for name in inside if name}


@pytest.mark.parametrize(
    "name", ["..", ".", "", "a/b", "../a", "/tmp/a", "a\\b", "..\\a", "a\0b", "a\nb", ".git"]
)
def test_a_study_stays_in_its_folder(name: str) -> None:
    with pytest.raises(UserError, match="study must be a plain folder name"):
        load_study("params/smoke.yaml", {"study": name})


@pytest.mark.parametrize("key", ["images", "labels"])
@pytest.mark.parametrize("folder", ["..", "../other", "a/../../b", "/etc", "a\0b"])
def test_a_class_map_names_folders_inside_the_dataset(
    tmp_path: Path, key: str, folder: str
) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(yaml.safe_dump({"classes": {0: "road"}, key: folder}))
    with pytest.raises(UserError, match=f"{key} must be a folder inside the dataset's"):
        load_class_map(path)


@pytest.mark.parametrize("name", ["../README", "/etc/passwd", "..", "notebooks/06-4", "*"])
def test_only_chooses_among_pages_and_opens_no_path(name: str) -> None:
    with pytest.raises(UserError, match="no page starts with"):
        execute.select(execute.find_pages(), name)


def test_generated_files_stay_under_the_study() -> None:
    study = Study(study="x", build_root="b")
    assert study.folder.parent == Path("b") and study.records.parent == study.folder


EVIL = (
    "<script>window.ran = 'script'</script>"
    "<img src=x onerror=\"window.ran = 'img'\"><svg/onload=\"window.ran='svg'\">"
    " [link](javascript:window.ran='link') ![p](javascript:window.ran='p')"
    " <a href=\"javascript:window.ran='a'\">x</a> <javascript:window.ran='auto'>"
    " `code` ``{raw} html`` {{ substitution }} {download}`/etc/passwd` {sub}`rolled`"
    " | cell | *star* **bold** ~~gone~~ $x^2$ [span]{.planted} &lt;script&gt; \\ # head\n"
    ":::{raw} html\n<script>window.ran = 'directive'</script>\n:::\n"
    "```{raw} html\n<b class='planted'>raw</b>\n```\n\u202edesrever \x00 Yes, it is safe."
)
SHOWN = "<script>window.ran ="  # quotes become typographic


@pytest.mark.parametrize("text", [EVIL, EVIL[::-1], "|", "\\|", "`", "&#60;b&#62;", "a\n\n# b"])
def test_verbatim_text_is_text(text: str) -> None:
    from markdown_it import MarkdownIt

    said = verbatim(text)
    assert not re.search(r"[<>`*_\[\]{}|\\$~=+^@%\n]|&(?!#\d+;)|(?<!&)#", said)
    html = MarkdownIt("gfm-like", {"linkify": False}).render(f"| a |\n| - |\n| “{said}” |\n")
    (cell,) = re.findall(r"<td>(.*?)</td>", html, re.S)
    assert "<" not in cell


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the pages that quote models, from records in which every text is an attack."""
    root = tmp_path_factory.mktemp("evil")
    records = write_records(root / "records", scenes=3)
    answers = pq.read_table(records / "answers.parquet").to_pandas()
    spoken = answers.text.notna()
    answers.loc[spoken, "text"] = [f"{EVIL} {prompt}" for prompt in answers.prompt[spoken]]
    schema = pa.schema([(c.name, c.type) for c in SCHEMAS["answers"]])
    pq.write_table(
        pa.Table.from_pandas(answers, schema=schema, preserve_index=False),
        records / "answers.parquet",
    )
    source = root / "source"
    source.mkdir()
    with Nursery(root / "log", ("ipykernel.kernelapp",), str(records)) as nursery:
        manager = ForkedKernelManager.of(nursery)
        for name in ("04-prompts", "06-4-qualitative", "review-parsers"):
            notebook = jupytext.read(f"notebooks/{name}.md")
            _without_pictures(notebook)
            template = source / f"{name}.ipynb"
            nbformat.write(notebook, template)
            given = {"records": str(records), "bootstrap": 20}
            known = papermill.inspect_notebook(str(template))
            papermill.execute_notebook(
                template, template, {k: v for k, v in given.items() if k in known},
                progress_bar=False, kernel_name="python3", kernel_manager_class=manager,
            )  # fmt: skip
    _configure(source)
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", str(source), str(root / "html")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return root / "html"


def _without_pictures(notebook: nbformat.NotebookNode) -> None:
    """Leave out the cells that need real models or draw: words are what is looked at."""
    kept = []
    for cell in notebook.cells:
        drawn = cell.cell_type == "code" and "figure" in cell.metadata.get("mystnb", {})
        if not drawn and "scene.safety_reason" not in cell.source:
            kept.append(cell)
    notebook.cells = kept


def _configure(source: Path) -> None:
    """The book's own settings that decide how a cell's Markdown is read."""
    config = yaml.safe_load(Path("_config.yml").read_text(encoding="utf-8"))
    own = {k: v for k, v in config["sphinx"]["config"].items() if k.startswith("nb_")}
    own |= {
        "extensions": ["myst_nb", "sphinx_design", "sphinx_proof", "sphinx_exercise",
                       "sphinxcontrib.bibtex"],
        "bibtex_bibfiles": ["references.bib"], "nb_execution_mode": "off", "numfig": True,
        "myst_enable_extensions": config["parse"]["myst_enable_extensions"],
    }  # fmt: skip
    shutil.copy("book/references.bib", source)
    (source / "conf.py").write_text("".join(f"{k} = {v!r}\n" for k, v in own.items()))
    pages = "\n".join(p.stem for p in sorted(source.glob("*.ipynb")))
    (source / "index.md").write_text(f"# Evil\n```{{toctree}}\n{pages}\n```\n")


@pytest.mark.parametrize("name", ["04-prompts", "06-4-qualitative", "review-parsers"])
def test_what_a_model_says_is_shown_and_never_run(page: Path, browser: Browser, name: str) -> None:
    opened, dialogs = browser.new_page(), []
    opened.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    opened.goto((page / f"{name}.html").as_uri(), wait_until="load")
    opened.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    opened.wait_for_timeout(200)
    assert not dialogs and opened.evaluate("window.ran ?? null") is None
    planted = "a[href^='javascript'], img[src='x'], img[src^='javascript'], svg[onload],"
    planted += " [onerror], .planted, a[href*='passwd'], a.reference.download"
    assert opened.locator(planted).count() == 0
    assert SHOWN in opened.locator("body").inner_text()
    for text in ("*star* **bold**", "{{ substitution }}", "| cell |", "$x^2$", "[span]{.planted}"):
        assert text in opened.locator("body").inner_text(), text
    opened.close()
