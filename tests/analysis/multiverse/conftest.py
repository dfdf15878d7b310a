"""A synthetic study and its grids, shared by the tests of the specification curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis import multiverse
from vlmis_utils.analysis.multiverse import Choice, Grid
from vlmis_utils.analysis.results import Results
from vlmis_utils.protocol.classes import LANGUAGE_CLASSES

Answers = Callable[[str, int], dict[str, object]]


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=10), bootstrap=100)


@pytest.fixture(scope="session")
def every(results: Results) -> tuple[Choice, ...]:
    return multiverse.choices(results)


@pytest.fixture(scope="session")
def grids(results: Results, every: tuple[Choice, ...]) -> list[Grid]:
    return multiverse.grids(results, every)


@pytest.fixture(scope="session")
def correlations(results: Results, grids: list[Grid]) -> pd.DataFrame:
    return multiverse.correlation_curve(results, grids)


@pytest.fixture
def invented() -> Callable[..., Results]:
    """Give a function that makes `Results` of one VLM from what it says, without files."""

    def make(
        answers: Answers, present: Sequence[str], reasons: Sequence[str] = ("clear",) * 6
    ) -> Results:
        names = [f"s{i}" for i in range(len(reasons))]
        counts = np.where(np.isin(LANGUAGE_CLASSES, present), 1000, 0).tolist()
        scenes = pd.DataFrame({
            "scene_id": names, "dataset": "streetworld", "height": 100, "width": 100,
            "pixel_counts": [counts] * len(names), "corridor_counts": [[9] * 19] * len(names),
            "safe": [reason == "clear" for reason in reasons], "safety_reason": list(reasons),
        })  # fmt: skip
        conditions = pd.DataFrame(
            [(n, c, counts) for n in names for c in ("clean", "LL3")],
            columns=["scene_id", "condition", "visible_counts"],
        )
        blank = {"text": None, "labels": (), "scores": ()}
        told = pd.DataFrame([
            blank | {"vlm": "toy", "scene_id": n, "condition": c, "prompt": p} | said
            for i, n in enumerate(names) for c in ("clean", "LL3")
            for p, said in answers(c, i).items()
        ])  # fmt: skip
        made = Results("nowhere", bootstrap=50)
        made.__dict__.update(scenes=scenes, conditions=conditions, answers=told)
        return made

    return make
