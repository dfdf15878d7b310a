"""The paper's printed tables: complete, in range, and consistent as far as they are."""

from __future__ import annotations

import pytest

from vlmis_utils.analysis.paper import tables
from vlmis_utils.core.errors import RunError
from vlmis_utils.protocol.classes import TRAIN_CLASSES
from vlmis_utils.protocol.conditions import CONDITION_NAMES

CONDITIONS = [name for name in CONDITION_NAMES if name != "blank"]


def test_table2_has_every_class_and_condition() -> None:
    wide = tables.load_table2().pivot(index="condition", columns="train_class", values="iou")
    assert set(wide.index) == set(CONDITIONS)
    assert set(wide.columns) == {*TRAIN_CLASSES, "miou"}
    assert wide.notna().all(axis=None) and wide.min(axis=None) >= 0 and wide.max(axis=None) <= 1


def test_table2_means_are_those_of_its_classes_and_of_table3() -> None:
    wide = tables.load_table2().pivot(index="condition", columns="train_class", values="iou")
    assert (wide[list(TRAIN_CLASSES)].mean(axis=1) - wide.miou).abs().max() < 0.01
    three = tables.load_table3()
    deeplab = three[three.segmenter == "deeplabv3plus"].set_index("condition").miou
    assert (deeplab - wide.miou).abs().max() < 1e-9


def test_known_cells_as_printed() -> None:
    two = tables.load_table2().set_index(["condition", "train_class"]).iou
    assert two["LL3", "rider"] == pytest.approx(0.01)
    assert two["OCC3", "train"] == 0
    three = tables.load_table3().set_index(["condition", "segmenter"]).miou
    assert three["LL2", "segformer"] == 0.67
    rates = tables.load_tables456().set_index(["vlm", "condition"])
    assert rates.cor["clip", "MB2"] == 1.0
    assert rates.parse_success["qwen2-vl", "OCC3"] == 0.22
    assert rates.parse_success["clip"].isna().all()


def test_pairs_join_all_models_on_all_conditions() -> None:
    pairs = tables.pairs()
    assert len(pairs) == 3 * 3 * len(CONDITIONS)
    assert pairs[["miou", "hr", "cor", "smr"]].notna().all(axis=None)


def test_smr_leaves_no_more_right_answers_than_decided_ones() -> None:
    qwen = tables.load_tables456().dropna(subset=["parse_success"])
    assert (1 - qwen.smr <= qwen.parse_success + 1e-9).all()


def test_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(RunError, match="table3"):
        tables.load_table3(tmp_path)


def test_cells_keep_the_printed_text_and_agree_with_the_numbers() -> None:
    cells = tables.load_cells()
    assert len(cells) == 10 * (19 + 1) + 10 * 3 + 10 * (3 + 3 + 4)
    assert not cells.duplicated(["table", "model", "condition", "column"]).any()
    assert set(cells.model) == set(tables.PRINTED_NAMES)
    values = cells.text.astype(float)
    two = cells.table == 2
    expected = tables.load_table2().set_index(["condition", "train_class"]).iou
    got = (values[two] / 100).to_numpy()
    assert got == pytest.approx(
        expected.loc[list(zip(cells[two].condition, cells[two].column, strict=True))].to_numpy()
    )
    rates = tables.load_tables456().melt(["vlm", "condition"], var_name="column").dropna()
    expected = rates.set_index(["vlm", "condition", "column"]).value
    late = cells[cells.table > 3]
    keys = list(zip(late.model, late.condition, late.column, strict=True))
    assert values[cells.table > 3].to_numpy() == pytest.approx(expected.loc[keys].to_numpy())
    three = tables.load_table3().set_index(["segmenter", "condition"]).miou
    mid = cells[cells.table == 3]
    assert values[mid.index].to_numpy() == pytest.approx(
        three.loc[list(zip(mid.model, mid.condition, strict=True))].to_numpy()
    )


def test_cells_are_printed_with_the_digits_that_the_audit_assumes() -> None:
    cells = tables.load_cells()
    digits = cells.text.str.extract(r"\.(\d+)$")[0].str.len().fillna(0).astype(int)
    assert set(digits[cells.table == 2]) == {0}
    assert set(digits[cells.table == 3]) == {2}
    assert set(digits[cells.table > 3]) == {1, 2}


def test_drops_and_levels_are_differences_from_clean() -> None:
    lost = tables.drops().set_index(["segmenter", "condition"])
    miou = tables.load_table3().set_index(["segmenter", "condition"]).miou
    for key, row in lost.iterrows():
        clean = miou[key[0], "clean"]
        assert row.lost == pytest.approx(clean - miou[key])
        assert row.share == pytest.approx((clean - miou[key]) / clean)
    assert len(lost) == 27
    rates = tables.load_tables456()
    for row in tables.levels().itertuples():
        mine = rates[rates.vlm == row.vlm].set_index("condition")[row.metric]
        assert row.change == pytest.approx(row.degraded - row.clean)
        assert row.degraded == pytest.approx(mine.drop("clean").mean())
        assert row.up + row.equal + row.down == 9
        assert row.up == (mine.drop("clean") > mine["clean"] + 1e-9).sum()
    assert len(tables.levels()) == 10
