"""The rendered book in a real browser: every page of the smoke study's book, wide and narrow."""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, unquote, urldefrag, urlsplit

import nbformat
import pytest
import yaml
from playwright.sync_api import Browser, Page

from vlmis_utils.protocol.conditions import CONDITIONS
from vlmis_utils.report import pages

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "build" / "smoke" / "html"
NAMES = pages._files(yaml.safe_load((ROOT / "_toc.yml").read_text()))
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Anatomy(HTMLParser):
    """The ids of a page and where its links and pictures lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.ids |= {value for key in ("id", "name") if (value := found.get(key))}
        target = found.get("href") if tag in ("a", "link") else found.get("src")
        if target:
            self.targets.append(target)


@functools.cache
def anatomy(path: Path) -> Anatomy:
    return Anatomy(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def book() -> Path:
    """Run the smoke study and build its book; quick where nothing changed.

    ``VLMIS_TEST_BOOK`` names the html folder of a book that is already built.
    """
    if os.environ.get("VLMIS_TEST_BOOK"):
        return Path(os.environ["VLMIS_TEST_BOOK"]).resolve()
    command = [sys.executable, "-m", "vlmis_utils", "run", "params/smoke.yaml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == "build/smoke/html/index.html"
    return HTML


@pytest.fixture(scope="session")
def address(book: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(book))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that writes down what goes wrong, and reaches this machine only."""
    page = browser.new_page(viewport=DESK)
    page.wrong = []
    page.on("console", lambda m: m.type == "error" and page.wrong.append(f"console: {m.text}"))
    page.on("pageerror", lambda error: page.wrong.append(f"script: {error}"))

    def local(route) -> None:
        if urlsplit(route.request.url).hostname == "127.0.0.1":
            route.continue_()
        else:
            page.wrong.append(f"needs the network: {route.request.url}")
            route.abort()

    page.route("**/*", local)
    yield page
    page.close()


def test_every_page_of_the_contents_exists(book: Path) -> None:
    assert len(NAMES) >= 18
    for name in NAMES:
        assert (book / f"{name}.html").exists(), name
    assert (book / "index.html").exists()


def test_every_page_of_the_sources_is_in_the_contents() -> None:
    sources = [*ROOT.glob("notebooks/*.md"), *ROOT.glob("book/*.md")]
    assert {str(p.relative_to(ROOT).with_suffix("")) for p in sources} == set(NAMES)


def test_links_and_anchors_inside_the_book_lead_somewhere(book: Path) -> None:
    broken = []
    for path in sorted(book.rglob("*.html")):
        if "_static" in path.parts:
            continue
        for target in anatomy(path).targets:
            link, anchor = urldefrag(target)
            if urlsplit(link).scheme or link.startswith("//") or target in ("#", ""):
                continue
            goal = (path.parent / unquote(urlsplit(link).path)).resolve() if link else path
            goal = goal / "index.html" if goal.is_dir() else goal
            if not goal.exists():
                broken.append(f"{path.relative_to(book)}: {target}")
            elif goal.name == "explorer.html" and anchor.startswith("scene="):
                state = parse_qs(anchor)
                words = book / "explorer" / "words" / f"{state['scene'][0]}.js"
                if not words.exists() or state["condition"][0] not in CONDITIONS:
                    broken.append(f"{path.relative_to(book)}: {target} (no such picture)")
            elif anchor and goal.suffix == ".html" and unquote(anchor) not in anatomy(goal).ids:
                broken.append(f"{path.relative_to(book)}: {target} (no such anchor)")
    assert not broken


@pytest.mark.parametrize("name", NAMES)
def test_a_page_opens_cleanly_wide_and_narrow(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}.html", wait_until="load")
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    pictures = page.evaluate(
        "Promise.all([...document.images].map(i => { i.loading = 'eager';"
        " return i.decode().then(() => '', () => i.src) })).then(all => all.filter(Boolean))"
    )
    assert not pictures, "broken pictures"
    assert (
        page.evaluate(
            "[...document.querySelectorAll('article img')].filter(i => !i.alt"
            " && !(i.hasAttribute('alt') && i.parentElement.textContent.trim())).map(i => i.src)"
        )
        == []
    ), "pictures without a description"
    clipped = page.evaluate(
        "[...document.querySelectorAll('div.cell_input pre')]"
        ".filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText.slice(0, 80))"
    )
    assert not clipped, "code wider than the page"
    page.set_viewport_size(PHONE)
    wide = page.evaluate(
        "() => { const width = document.documentElement.clientWidth;"
        " if (document.documentElement.scrollWidth <= width) return [];"
        " return [...document.querySelectorAll('main *')].filter("
        "   e => e.getBoundingClientRect().right > width + 1 && !e.closest('.cell_output, pre,"
        "     .pst-scrollable-table-container, .table-responsive'))"
        "   .slice(0, 5).map(e => e.tagName + '.' + e.className).concat('the page itself') }"
    )
    assert not wide, "wider than a phone"
    assert not page.wrong


def test_the_download_button_gives_the_page_with_its_outputs(book: Path) -> None:
    page = book / "notebooks" / "06-2-vlm-results.html"
    given = [t for t in anatomy(page).targets if t.endswith(".ipynb")]
    assert given
    notebook = nbformat.read((page.parent / given[0]).resolve(), as_version=4)
    assert sum(len(c.get("outputs", ())) for c in notebook.cells) >= 3
    assert "Run this page" in page.read_text(encoding="utf-8")


def test_search_finds_a_word(page: Page, address: str) -> None:
    page.goto(f"{address}/search.html?q=hallucination")
    page.wait_for_selector("#search-results li a", timeout=20_000)
    assert page.locator("#search-results li a").count() >= 3
    assert not page.wrong


def test_from_the_cover_one_reaches_a_result(page: Page, address: str) -> None:
    page.goto(f"{address}/index.html")
    page.wait_for_url(f"**/{NAMES[0]}.html")  # the index forwards to the cover
    doors = page.locator("article .doors .sd-card a")
    assert doors.count() >= 5
    page.locator("article a[href*='06-2-']").first.click()  # of the first finding
    page.wait_for_url("**/06-2-*.html*")
    assert page.locator("article table").count() >= 1
    assert not page.wrong
