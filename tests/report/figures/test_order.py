"""Conditions stand in one order, and families have one look, whatever the order of the rows."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis import changes
from vlmis_utils.analysis.paper.abstention import safety_answers
from vlmis_utils.analysis.paper.significance import changes_from_clean
from vlmis_utils.analysis.results import Results
from vlmis_utils.protocol.conditions import CONDITION_NAMES, FAMILIES, ordered
from vlmis_utils.report import figures as fig
from vlmis_utils.report.figures.changes import plot_transitions
from vlmis_utils.report.figures.multiverse import plot_verdicts
from vlmis_utils.report.figures.paper import plot_paired, plot_safety_answers
from vlmis_utils.report.figures.sequences import plot_gains
from vlmis_utils.report.style import FAMILY_LOOKS
from vlmis_utils.report.tables.markdown import Column, crossed


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=6), bootstrap=50)


def turned(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows the other way round: conditions from OCC3 to clean."""
    return frame.iloc[::-1].reset_index(drop=True)


def verdicts(results: Results) -> pd.DataFrame:
    rows = [{"metric": m, "vlm": "clip", "condition": c, "verdict": "up", "up": 1.0}
            for c in ("LL3", "MB3", "OCC3") for m in ("hr", "cor", "smr")]  # fmt: skip
    return pd.DataFrame(rows).assign(same=0.0, down=0.0)


def gains(results: Results) -> Figure:
    names = ["clean", "LL3", "MB3", "OCC3"]
    numbers = {"gain": 0.1, "low": 0.0, "high": 0.2}
    pixels = turned(pd.DataFrame({"segmenter": "segformer", "condition": names} | numbers))
    said = {"vlm": "clip", "rule": "majority", "metric": "hr", "condition": names}
    return plot_gains(pixels, turned(pd.DataFrame(said | numbers)), {})


FIGURES: dict[str, Callable[[Results], Figure]] = {
    "split": lambda r: fig.plot_smr_split(turned(r.vlm_by_condition()), {}),
    "drop": lambda r: fig.plot_class_drop(
        turned(fig.load_class_iou(r.segmentation_by_condition())), "segformer"
    ),
    "transitions": lambda r: plot_transitions(turned(changes.misalignment_tests(r)), {}),
    "paired": lambda _: plot_paired(turned(changes_from_clean())),
    "safety": lambda _: plot_safety_answers(turned(safety_answers())),
    "verdicts": lambda r: plot_verdicts(turned(verdicts(r)), {}, ("vlm", "condition")),
    "ladders": lambda r: fig.plot_ladders(
        turned(r.segmentation_by_condition()), "segmenter", {"miou": "mIoU"}, {}
    ),
    "scatter": lambda r: fig.plot_scatter(turned(r.pairs()), "segformer", {}),
    "changes": lambda r: fig.plot_changes(turned(r.pairs()), {}),
    "gains": gains,
}


def lists_of_words(figure: Figure) -> list[list[str]]:
    """Return what stands along each axis, in titles, and in legends, read down and to the right."""
    found = [[axis.get_title() for axis in figure.axes]]
    for axis in figure.axes:
        found.append([t.get_text() for t in axis.get_xticklabels()])
        down = [t.get_text() for t in axis.get_yticklabels()]
        found.append(down if axis.yaxis_inverted() else down[::-1])
    return found + [across(legend) for legend in figure.legends]


def across(legend: Legend) -> list[str]:
    """Return the words of a legend line by line; matplotlib fills it column by column."""
    words = [t.get_text() for t in legend.get_texts()]
    columns = legend._ncols
    high = [len(words) // columns + (c < len(words) % columns) for c in range(columns)]
    starts = [sum(high[:c]) for c in range(columns)]
    return [words[starts[c] + line] for line in range(max(high)) for c in range(columns)
            if line < high[c]]  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_conditions_stand_in_the_order_of_the_papers_tables(name: str, results: Results) -> None:
    order = {word: place for place, word in enumerate([*CONDITION_NAMES, *FAMILIES.values()])}
    seen = 0
    for words in lists_of_words(FIGURES[name](results)):
        places = [order[w] for w in (word.split(", ")[-1] for word in words) if w in order]
        places = [place for i, place in enumerate(places) if i == 0 or place != places[i - 1]]
        assert places == sorted(places), words
        seen += len(places) > 1
    assert seen, "the figure names no two conditions"


def test_families_differ_in_colour_and_marker() -> None:
    assert list(FAMILY_LOOKS) == ["clean", *FAMILIES]
    for part in zip(*FAMILY_LOOKS.values(), strict=True):
        assert len(set(part)) == len(part)


def test_columns_of_a_crossed_table_stand_in_that_order_too() -> None:
    names = ["OCC3", "blank", "LL1", "clean"]
    frame = pd.DataFrame({"vlm": "clip", "condition": names, "yes": 0.5})
    table = crossed(frame, [Column("model", "vlm")], "condition", Column("", "yes"))
    assert list(table) == ["model", *ordered(names)]
