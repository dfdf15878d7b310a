"""Every exercise has a solution; the code of every solution runs, and shows what its text says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.cells import run_cells, run_imports, run_solutions, solutions
from tests.helpers.synthetic import write_records

# Pages whose solutions have tests of their own, beside other tests of these pages.
ELSEWHERE = {
    "book/teach.md", "notebooks/lab.md", "notebooks/package.md", "notebooks/review-arms.md",
    "notebooks/review-checklist.md", "notebooks/review-refusals.md",
    "notebooks/review-warnings.md",
}  # fmt: skip
# Solutions that need what their page computed; the others need what it imports.
ON_RECORDS = ("review-change", "review-checks", "review-choices", "review-entropy",
              "review-levels", "review-prediction")  # fmt: skip
ALONE = ("03-metrics", "05-1-datasets", "05-2-degradation", "06-3-correlation", "review-audit",
         "review-parsers", "review-power")  # fmt: skip
BLURRED = 25 / 4  # pixels, at a quarter of the width


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_records(tmp_path_factory.mktemp("solved") / "x" / "records", scenes=6))


def test_every_solution_with_code_is_run_somewhere() -> None:
    pages = [*Path("notebooks").glob("*.md"), *Path("book").glob("*.md")]
    with_code = {p.as_posix() for p in pages
                 if p.name != "package.md" and any(solutions(p).values())}  # fmt: skip
    here = {f"notebooks/{name}.md" for name in (*ON_RECORDS, *ALONE)}
    assert with_code <= here | ELSEWHERE and here <= with_code


def test_solutions_that_stand_alone_show_what_they_say() -> None:
    shown = {name: run_solutions(name, run_imports(name)) for name in ALONE}
    assert shown["03-metrics"] == [pytest.approx(0.85)]
    names = run_imports("05-1-datasets")
    usual = names["safety_label"].stopping_distance()
    assert shown["05-1-datasets"][0] - usual == pytest.approx(30 / 3.6, abs=0.05)
    assert shown["05-2-degradation"] == [pytest.approx(BLURRED)]
    assert shown["06-3-correlation"][0][1] < 0
    sizes, bounds = shown["review-audit"]
    assert sizes[0] == 7 and {7, 14, 21, 28} <= set(sizes)
    assert min(bounds) == pytest.approx(2.0**-7) and max(bounds) > 0.05
    keyword, scoped = (shown["review-parsers"][0][rule] for rule in ("keyword", "scoped"))
    assert keyword == ["cyclist", "pedestrian", "traffic light", "traffic sign"] and not scoped
    widths, scenes = shown["review-power"]
    assert widths[0] / np.array(widths[1:]) == pytest.approx([2, 10], rel=0.02)
    assert 1.6 < scenes[1] / scenes[0] < 1.9


def test_solutions_go_on_where_their_page_ends(records: str, capsys: pytest.CaptureFixture) -> None:
    names = run_cells("review-change", {"records": records})
    p, (within, together) = run_solutions("review-change", names)
    assert np.asarray(p) == pytest.approx([0.125, 0.0625, 0.03125])
    assert together <= within
    names = run_cells("review-levels", {"records": records})
    capsys.readouterr()
    run_solutions("review-levels", names)
    said = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert said == ["pearson", "spearman"]


def test_a_wider_k_and_another_outcome(records: str) -> None:
    names = run_imports("review-choices")
    names["results"] = names["open_results"](records)
    (wide,) = run_solutions("review-choices", names)
    assert len(wide) and wide.agreeing.between(0, 1).all()
    assert len(names["wide"][1].levels) == 8
    names = run_imports("review-prediction") | {"results": names["results"]}
    (gains,) = run_solutions("review-prediction", names)
    assert set(gains.columns) >= {"mean", "min", "max"}


def test_what_a_sure_segmenter_hides_is_in_other_signals(records: str) -> None:
    names = run_imports("review-entropy")  # its cells show images of the dataset
    names["watched"] = names["load_warnings"](names["open_results"](records))
    (means,) = run_solutions("review-entropy", names)
    assert "clean" in means.index and "disagree_image" in means and len(means.columns) > 1


def test_fewer_scenes_have_intervals_that_are_too_short(records: str) -> None:
    names = run_cells("review-checks", {"records": records, "studies": 32})
    (table,) = run_solutions("review-checks", names)
    assert len(table) > 10
