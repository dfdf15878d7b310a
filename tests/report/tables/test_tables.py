"""Tables: cells hold the right numbers, and the Markdown is a table with a name."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis import correlation
from vlmis_utils.analysis.results import Results
from vlmis_utils.report import tables

LABELS = {"clip": "CLIP", "segformer": "SegFormer"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=6), bootstrap=50)


def test_numbered_is_a_named_table_with_safe_cells() -> None:
    frame = pd.DataFrame({"a": ["x|y", "two\nlines"], "b": [0.5, math.nan]})
    text = tables.numbered(frame, "tab-x", "A caption.", {"a": "first"}).data
    assert text.startswith("::::{table} A caption.\n:name: tab-x\n")
    assert "| first | b |\n| --- | --: |" in text
    assert "| x\\|y | 0.50 |" in text and "| two lines | – |" in text


def test_fold_keeps_the_table() -> None:
    table = tables.numbered(pd.DataFrame({"a": [1]}), "tab-x", "c")
    assert table.data in tables.fold("More", table).data


def test_beside() -> None:
    assert tables.beside(0.5) == "0.50"
    assert tables.beside(0.5, paper=math.nan) == "0.50"
    assert tables.beside(0.5, 0.4, 0.6, 0.7) == "0.50 [0.40 to 0.60]{.interval} [0.70]{.paper}"


def test_table1_says_what_the_study_applies() -> None:
    frame = tables.load_table1((0.02, 0.04, 0.06), 512, "relative").set_index("key")
    assert len(frame) == 9
    assert "6.25 px" in frame["in this study"]["MB3"] and "25×25" in frame["in the paper"]["MB3"]
    assert "σ = 0.06" in frame["in this study"]["LL3"]


def test_table2_has_paper_values_only_for_deeplab(results: Results) -> None:
    quality = results.segmentation_by_condition()
    ours = tables.load_class_iou(quality, "deeplabv3plus").set_index("class")
    assert "[98]{.paper}" in ours.loc["road", "clean"]
    assert len(ours) == 20 and "**pedestrian**" in ours.index
    assert "paper" not in tables.load_class_iou(quality, "segformer").to_string()


def test_table3_holds_value_interval_and_print(results: Results) -> None:
    cells = tables.load_miou(results.segmentation_by_condition(), LABELS).set_index("condition")
    row = results.segmentation_by_condition().set_index(["segmenter", "condition"])
    cell = cells.loc["LL2", "SegFormer"]
    assert cell.startswith(f"{row.miou['segformer', 'LL2']:.2f} ") and "[0.67]{.paper}" in cell


def test_misalignment_has_a_row_a_condition_and_the_blank_arm_last(results: Results) -> None:
    cells = tables.load_misalignment(results.vlm_by_condition(), "qwen2-vl")
    assert list(cells.condition)[-1] == "blank image" and len(cells) == 11
    assert "[0.04]{.paper}" in cells.parsed[0]
    assert "paper" not in " ".join(cells.iloc[-1].astype(str))


def test_unprinted_models_have_no_paper_values(results: Results) -> None:
    renamed = results.vlm_by_condition().replace({"vlm": {"clip": "mine"}})
    assert "paper" not in tables.load_misalignment(renamed, "mine").to_string()


def test_a_model_for_photographs_has_the_printed_values_of_its_architecture(
    results: Results,
) -> None:
    vlms, segmenters = results.vlm_by_condition(), results.segmentation_by_condition()
    of_photographs = {m: f"{m}-small-cityscapes" for m in ("qwen2-vl", "segformer")}
    same = tables.load_misalignment(vlms.replace(of_photographs), "qwen2-vl-small-cityscapes")
    pd.testing.assert_frame_equal(same, tables.load_misalignment(vlms, "qwen2-vl"))
    assert "paper" in same.to_string()
    cells = tables.load_miou(segmenters.replace(of_photographs), {})
    expected = tables.load_miou(segmenters, {}).segformer
    assert cells["segformer-small-cityscapes"].tolist() == expected.tolist()


def test_controls_list_constants_blank_and_clean(results: Results) -> None:
    cells = tables.load_controls(results.vlm_by_condition(), results.baselines(), LABELS)
    answers = list(cells.answer)
    assert "always safe" in answers and "CLIP, blank image" in answers
    assert cells.set_index("answer").HR["always safe"] == "–"


def test_smr_split_adds_up(results: Results) -> None:
    cells = tables.load_smr_split(results.vlm_by_condition(), LABELS)
    parts = cells[["said safe, is unsafe", "said unsafe, is safe", "no decision"]].astype(float)
    assert (parts.sum(axis=1) - cells.SMR.astype(float)).abs().max() < 0.016


def test_quotes_mark_what_is_wrong(results: Results) -> None:
    judged = results.vlm_per_image()
    scene = judged.scene_id.iloc[0]
    cells = tables.load_quotes(
        results.answers, judged, results.presence_answers(), "qwen2-vl", scene
    ).set_index("condition")
    mine = judged[(judged.scene_id == scene) & (judged.vlm == "qwen2-vl")].set_index("condition")
    for condition, row in mine.iterrows():
        assert (".wrong" in cells.loc[condition, "safe to proceed?"]) == bool(row.smr_i)
        false = row.mentioned - row.present
        assert all(f"**{name}**" in cells.loc[condition, "description"] for name in false)


def test_correlations_have_intervals_and_p_over_conditions_only(results: Results) -> None:
    found = correlation.correlations(results)
    conditions = tables.load_correlations(found, LABELS, "conditions")
    images = tables.load_correlations(found, LABELS, "images")
    assert len(conditions) == len(images) == 27
    assert "Pearson p" in conditions and "Pearson p" not in images


def test_quality_verdicts() -> None:
    floors = {("clip", "AUC"): 0.7, ("siglip", "AUC"): 0.7, ("x", "AUC"): 0.7}
    cells = tables.load_quality(floors, {("clip", "AUC"): 0.8, ("siglip", "AUC"): 0.65}, LABELS)
    assert list(cells.verdict) == ["reached", "missed by 0.050", "not measured"]


def test_facts_of_an_empty_run_are_said_to_be_missing() -> None:
    assert tables.load_facts({}).value.tolist() == ["not recorded"]
    assert tables.load_facts({"a": ["x", "y"], "b": None}).value.tolist() == ["x, y", "–"]


def test_parsers_and_presence_and_visible(results: Results) -> None:
    language = results.vlm_by_condition()
    assert {"HR, scoped", "HR, keyword"} <= set(
        tables.load_parsers(language, language, "qwen2-vl").columns
    )
    presence = tables.load_presence(results.presence(), LABELS, "balanced_accuracy")
    assert presence["class"].iloc[-1] == "**mean**" and len(presence) == 10
    assert set(tables.load_visible(language, LABELS).condition) == {"OCC1", "OCC2", "OCC3"}
    assert len(tables.load_agreement(results.segmentation_by_condition(), LABELS)) == 3
