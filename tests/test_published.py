"""The paper's printed tables: complete, in range, and consistent as far as they are."""

from __future__ import annotations

import pytest

from vlmis_utils.errors import RunError
from vlmis_utils.figures.style import CONDITION_NAMES
from vlmis_utils.tables import published
from vlmis_utils.taxonomy import TRAIN_CLASSES

CONDITIONS = [name for name in CONDITION_NAMES if name != "blank"]


def test_table2_has_every_class_and_condition() -> None:
    wide = published.load_table2().pivot(index="condition", columns="train_class", values="iou")
    assert set(wide.index) == set(CONDITIONS)
    assert set(wide.columns) == {*TRAIN_CLASSES, "miou"}
    assert wide.notna().all(axis=None) and wide.min(axis=None) >= 0 and wide.max(axis=None) <= 1


def test_table2_means_are_those_of_its_classes_and_of_table3() -> None:
    wide = published.load_table2().pivot(index="condition", columns="train_class", values="iou")
    assert (wide[list(TRAIN_CLASSES)].mean(axis=1) - wide.miou).abs().max() < 0.01
    three = published.load_table3()
    deeplab = three[three.segmenter == "deeplabv3plus"].set_index("condition").miou
    assert (deeplab - wide.miou).abs().max() < 1e-9


def test_known_cells_as_printed() -> None:
    two = published.load_table2().set_index(["condition", "train_class"]).iou
    assert two["LL3", "rider"] == pytest.approx(0.01)
    assert two["OCC3", "train"] == 0
    three = published.load_table3().set_index(["condition", "segmenter"]).miou
    assert three["LL2", "segformer"] == 0.67
    rates = published.load_tables456().set_index(["vlm", "condition"])
    assert rates.cor["clip", "MB2"] == 1.0
    assert rates.parse_success["qwen2-vl", "OCC3"] == 0.22
    assert rates.parse_success["clip"].isna().all()


def test_pairs_join_all_models_on_all_conditions() -> None:
    pairs = published.pairs()
    assert len(pairs) == 3 * 3 * len(CONDITIONS)
    assert pairs[["miou", "hr", "cor", "smr"]].notna().all(axis=None)


def test_smr_leaves_no_more_right_answers_than_decided_ones() -> None:
    qwen = published.load_tables456().dropna(subset=["parse_success"])
    assert (1 - qwen.smr <= qwen.parse_success + 1e-9).all()


def test_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(RunError, match="table3"):
        published.load_table3(tmp_path)
