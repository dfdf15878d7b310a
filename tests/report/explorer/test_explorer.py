"""The explorer in a real browser, opened from the file system: filters, link, keys, layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page

from tests.helpers.explored import HOSTILE, explored_page, explored_records
from vlmis_utils import open_results
from vlmis_utils.analysis.results import Results
from vlmis_utils.protocol.conditions import CONDITIONS
from vlmis_utils.report.explorer import scene_link, write_explorer

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    records = explored_records(tmp_path_factory.mktemp("explorer") / "told", scenes=6)
    write_explorer(records, "none")
    explored_page(records.parent)
    return records


@pytest.fixture(scope="module")
def results(records: Path) -> Results:
    return open_results(records)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that notes what goes wrong, and may read files only."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.wrong = []
    page.on("console", lambda m: m.type == "error" and page.wrong.append(m.text))
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("request", lambda r: r.url.startswith("file:") or page.wrong.append(r.url))
    yield page
    assert not page.wrong
    page.close()


def visit(page: Page, records: Path, state: str = "") -> None:
    page.goto(f"{(records.parent / 'page.html').as_uri()}{state}")
    page.wait_for_selector(".ex-answers section")


def title(page: Page) -> str:
    return page.locator("[data-part=title]").inner_text()


def found(page: Page) -> int:
    return int(page.locator("[data-part=count]").inner_text().split()[0])


def rows(results: Results) -> pd.DataFrame:
    """One row for each vlm and picture, with the clean answer beside it."""
    judged = results.vlm_per_image()
    judged = judged[judged.condition != "blank"]
    clean = judged[judged.condition == "clean"][["vlm", "scene_id", "decision", "smr_i"]]
    return judged.merge(clean, on=["vlm", "scene_id"], suffixes=("", "_clean"))


def lost(results: Results, segmenter: str) -> pd.Series:
    frame = results.segmentation_per_image()
    frame = frame[frame.segmenter == segmenter].pivot(
        index="scene_id", columns="condition", values="miou"
    )
    return (-frame.sub(frame["clean"], axis=0)).stack()


Told = Callable[[pd.DataFrame, Results], pd.Series]
STORIES: dict[str, tuple[str, Told]] = {
    "safe though unsafe": (
        "story=false-safe&under=OCC3",
        lambda f, _: (f.decision == "safe") & ~f.safe.astype(bool) & (f.condition == "OCC3"),
    ),
    "unsafe though safe, one VLM": (
        "story=false-alarm&vlm=siglip",
        lambda f, _: (f.decision == "unsafe") & f.safe.astype(bool) & (f.vlm == "siglip"),
    ),
    "no judgement": ("story=abstains", lambda f, _: f.decision == "abstain"),
    "right when clean": (
        "story=turned", lambda f, _: (f.smr_i == 1) & (f.smr_i_clean == 0),
    ),
    "hallucinates a pedestrian": (
        "story=hallucinates&class=pedestrian",
        lambda f, _: f.mentioned.map(lambda m: "pedestrian" in m)
        & ~f.present.map(lambda p: "pedestrian" in p),
    ),
    "misses any class": (
        "story=omits&vlm=qwen2-vl", lambda f, _: (f.vlm == "qwen2-vl") & pd.Series(
            [bool(p - m) for p, m in zip(f.present, f.mentioned, strict=True)], f.index
        ),
    ),
    "mIoU hardly fell": (
        "story=unseen&segmenter=segformer&below=0.2",
        lambda f, results: (f.decision != f.decision_clean) & (f.condition != "clean")
        & (lost(results, "segformer").reindex(
            pd.MultiIndex.from_frame(f[["scene_id", "condition"]])).to_numpy() < 0.2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES)
def test_a_filter_finds_the_pictures_of_its_story(
    page: Page, records: Path, results: Results, story: str
) -> None:
    state, told = STORIES[story]
    visit(page, records, f"#{state}")
    frame = rows(results)
    wanted = frame[told(frame, results)].drop_duplicates(["scene_id", "condition"])
    assert 0 < len(wanted) < len(results.scenes) * len(CONDITIONS)
    assert found(page) == len(wanted)
    order = {name: i for i, name in enumerate(results.scenes.scene_id)}
    place = min((order[s], CONDITIONS.index(c))
                for s, c in zip(wanted.scene_id, wanted.condition, strict=True))  # fmt: skip
    first = f"Scene {place[0]} ({results.scenes.scene_id[place[0]]}) under {CONDITIONS[place[1]]}"
    assert title(page) == first


def test_a_preset_is_a_filter_and_every_picture_leads_back(page: Page, records: Path) -> None:
    visit(page, records)
    everything = found(page)
    page.get_by_role("button", name="Hallucinates a pedestrian").click()
    assert 0 < found(page) < everything
    assert "story=hallucinates" in page.url and "class=pedestrian" in page.url
    page.get_by_role("button", name="Every image").click()
    assert found(page) == everything == 6 * len(CONDITIONS)


@pytest.mark.parametrize("order", ["down", "up"])
def test_pictures_are_sorted_by_a_signal(
    page: Page, records: Path, results: Results, order: str
) -> None:
    visit(page, records, f"#under=MB3&sort=miou:segformer&order={order}&scene=0&condition=MB3")
    frame = results.segmentation_per_image()
    frame = frame[(frame.segmenter == "segformer") & (frame.condition == "MB3")]
    wanted = frame.sort_values("miou", ascending=order == "up").scene_id
    shown = page.locator("[data-part=found] a")
    places = [int(text.split()[0]) for text in shown.all_inner_texts()]
    place = list(wanted).index(results.scenes.scene_id[0])
    first = max(0, place - 2)
    assert [results.scenes.scene_id[i] for i in places] == list(wanted)[first : first + 6]


def test_a_link_of_another_page_leads_to_its_picture(
    page: Page, records: Path, results: Results
) -> None:
    link = scene_link(results, results.scenes.scene_id[3], "MB2")
    assert link.startswith('<a href="explorer.html#scene=3&amp;condition=MB2">')
    visit(page, records, "#scene=3&condition=MB2")
    assert title(page) == f"Scene 3 ({results.scenes.scene_id[3]}) under MB2"
    assert page.locator("[data-part=link]").input_value() == page.url
    assert page.url.endswith("#scene=3&condition=MB2")
    page.evaluate("location.hash = '#scene=5&condition=LL1'")
    page.wait_for_function("document.querySelector('[data-part=title]').textContent"
                           ".startsWith('Scene 5 ')")  # fmt: skip
    assert title(page).endswith("under LL1")


@pytest.mark.parametrize("state", ["#scene=99&condition=XX&story=no&sort=no", "#scene=-1", "#%"])
def test_a_link_that_is_wrong_shows_a_picture_all_the_same(
    page: Page, records: Path, state: str
) -> None:
    visit(page, records, state)
    assert title(page).startswith("Scene ") and found(page) == 60


def test_arrows_go_through_scenes_and_conditions(page: Page, records: Path) -> None:
    visit(page, records, "#scene=1&condition=LL1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert title(page).startswith("Scene 3 ")
    page.keyboard.press("ArrowLeft")
    assert title(page).startswith("Scene 2 ")
    page.locator("[data-part=stage]").focus()
    page.keyboard.press("ArrowDown")
    assert title(page).endswith(f"under {CONDITIONS[2]}")
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    assert title(page).endswith("under clean") and title(page).startswith("Scene 2 ")
    page.locator("[data-part=link]").focus()  # there an arrow moves the cursor
    page.keyboard.press("ArrowRight")
    assert title(page).startswith("Scene 2 ")


def test_arrows_go_through_what_was_found(page: Page, records: Path, results: Results) -> None:
    visit(page, records, "#story=abstains")
    total, first = found(page), title(page)
    for _ in range(total):
        page.keyboard.press("ArrowRight")
    assert f"number {total}" in page.locator("[data-part=count]").inner_text()
    assert total == 1 or title(page) != first


def test_conditions_are_chosen_by_name(page: Page, records: Path) -> None:
    visit(page, records)
    page.get_by_role("radio", name="OCC2").check()
    assert title(page).endswith("under OCC2") and "condition=OCC2" in page.url


def test_words_and_verdicts_are_those_of_the_run(
    page: Page, records: Path, results: Results
) -> None:
    visit(page, records, "#scene=2&condition=clean")
    judged = results.vlm_per_image()
    judged = judged[(judged.scene_id == results.scenes.scene_id[2])
                    & (judged.condition == "clean")].set_index("vlm")  # fmt: skip
    asked = results.presence_answers()
    asked = asked[(asked.scene_id == results.scenes.scene_id[2]) & (asked.condition == "clean")]
    sections = page.locator(".ex-answers section")
    assert sections.count() == 3
    for place, (vlm, row) in enumerate(judged.iterrows()):
        section = sections.nth(place)
        mine = asked[asked.vlm == vlm]
        right = (mine.word == mine.truth.map({True: "yes", False: "no"})).sum()
        unknown = int((mine.word == "unknown").sum())
        wrong = len(mine) - right - unknown
        right += len(row.mentioned & row.present) + (row.smr_i == 0)
        wrong += len(row.mentioned - row.present) + (row.smr_i == 1) - row.abstained
        counted = [section.locator(f".ex-{kind}").count() for kind in ("right", "wrong", "open")]
        assert counted == [right, wrong, unknown + row.abstained]
        assert section.locator(".ex-missed").count() == len(row.critical - row.mentioned)
        assert f"HR {row.hr_i:.2f} " in section.locator(".ex-terms").inner_text()


def test_an_answer_is_shown_and_never_run(page: Page, records: Path) -> None:
    visit(page, records)
    assert HOSTILE in page.locator(".ex-answers blockquote").all_inner_texts()
    assert page.title() == "page" and page.locator(".ex-answers img").count() == 0


def test_without_pictures_the_page_says_so(page: Page, records: Path) -> None:
    visit(page, records)
    assert "left out" in page.locator("[data-part=note]").inner_text()
    assert page.locator(".ex-found img").count() == 0
    page.locator("[data-layer=segformer]").click()
    assert page.locator(".ex-stage img").count() == 1


def test_pictures_come_with_layers(page: Page, tmp_path: Path) -> None:
    records = explored_records(tmp_path / "seen", 2, ("clean", "OCC3"), pictures=True)
    held = write_explorer(records)
    assert held.pictures and held.masks and held.note == ""
    before = {p: p.stat().st_mtime_ns for p in (records.parent / "explorer").rglob("*.jpg")}
    assert len(before) == 4 and write_explorer(records) == held
    assert before == {p: p.stat().st_mtime_ns for p in before}  # pictures are kept
    explored_page(records.parent)
    visit(page, records, "#scene=1&condition=OCC3")
    stage = page.locator("[data-part=stage] img")
    assert stage.count() == 1 and "OCC3" in stage.get_attribute("alt")
    assert stage.evaluate("i => i.decode().then(() => i.naturalWidth)") == 512
    truth = page.get_by_role("button", name="Truth")
    truth.click()
    page.get_by_role("button", name="SegFormer").click()
    assert truth.get_attribute("aria-pressed") == "true" and stage.count() == 3
    page.locator("[data-part=opacity]").fill("25")
    assert page.locator(".ex-layer").first.evaluate("e => e.style.opacity") == "0.25"
    page.keyboard.press("Tab")
    truth.click()
    assert stage.count() == 2


def test_it_fits_a_phone_and_has_names_for_all_controls(page: Page, records: Path) -> None:
    page.set_viewport_size(PHONE)
    visit(page, records, "#story=unseen")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    nameless = page.evaluate(
        "[...document.querySelectorAll('#viewer select, #viewer input, #viewer button')]"
        ".filter(e => !e.labels?.length && !e.textContent.trim() && !e.ariaLabel)"
        ".map(e => e.outerHTML)"
    )
    assert nameless == []
