"""Worlds side by side: the run first, what is kept beside it, summaries only where they fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.studies import write_edge
from vlmis_utils.analysis import worlds
from vlmis_utils.analysis.open_results import open_results
from vlmis_utils.analysis.warnings.single import MEAN
from vlmis_utils.analysis.warnings.tasks import LEAST
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.records import kept

EDGE = "clean and LL3, one segmenter, one VLM without text"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that keeps one photograph of Cityscapes, clean alone."""
    run, root = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("kept")
    records = write_edge(run / "cityscapes-small", "one photograph, clean alone")
    study = replace(load_study(records.parent / "study.yaml"), dataset="cityscapes", split="val")
    worlds.keep_summaries(kept.keep(study, root))
    return root


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_edge(tmp_path_factory.mktemp("own") / "x", EDGE)


def test_the_run_stands_for_its_data_set_and_the_kept_for_theirs(root: Path, records: Path) -> None:
    found = worlds.open_worlds(records, root)
    assert [(n, w.name, w.kept) for n, w in found.items()] == [
        ("StreetWorld", "StreetWorld", False),
        ("Cityscapes", "Cityscapes", True),
    ]
    city = worlds.open_worlds(root / "cityscapes-small/records", root)
    assert list(city) == ["Cityscapes"] and not city["Cityscapes"].kept


def test_a_summary_is_the_same_kept_and_computed(root: Path, records: Path) -> None:
    world = worlds.open_worlds(records, root)["Cityscapes"]
    assert world.summaries is not None
    for name in worlds.SUMMARIES:
        computed = worlds.World("", world.results).summary(name)
        pd.testing.assert_frame_equal(world.summary(name), computed, check_dtype=False)


def test_answers_read_in_another_way_are_summed_up_anew(root: Path, records: Path) -> None:
    read = worlds.open_worlds(records, root, top_k=2)["Cityscapes"]
    assert read.summaries is None and read.results.reading.top_k == 2
    fewer = worlds.open_worlds(records, root, bootstrap=20)["Cityscapes"]
    assert fewer.summaries is not None


@pytest.mark.parametrize("study", sorted(p.parent.name for p in Path(kept.KEPT).glob("*/records")))
def test_what_is_kept_of_signals_is_of_the_records_beside_it(study: str) -> None:
    found = pd.read_parquet(kept.KEPT / study / "summaries/signals.parquet")
    results = open_results(kept.KEPT / study / "records")
    images = results.vlm_per_image().query("condition != 'blank'")
    rates = found[(found.target == "wrong call") & (found.vlm != MEAN)].groupby("vlm").rate.first()
    scenes = images.groupby(["vlm", "smr_i"]).scene_id.nunique().unstack(fill_value=0)
    foreseeable = scenes.index[(scenes.reindex(columns=[0, 1], fill_value=0) >= LEAST).all(axis=1)]
    failed = images.groupby("vlm").smr_i.mean()[foreseeable]
    pd.testing.assert_series_equal(rates, failed, check_names=False, check_index_type=False)
    assert len(found[found.vlm != MEAN])


@pytest.mark.parametrize("study", sorted(p.parent.name for p in Path(kept.KEPT).glob("*/records")))
def test_what_is_kept_of_all_signals_is_of_the_failures_of_each_alone(study: str) -> None:
    together = pd.read_parquet(kept.KEPT / study / "summaries/signals_together.parquet")
    alone = pd.read_parquet(kept.KEPT / study / "summaries/signals.parquet")
    pairs = set(zip(together.vlm, together.target, strict=True))
    assert pairs == set(zip(alone.vlm, alone.target, strict=True)) - {
        (MEAN, target) for target in alone.target
    }
    assert together.auc.between(0, 1).all() and (together.low < together.high).all()
