"""The page that puts two studies side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.__main__ import main
from vlmis_utils.protocol.parameters import write_study
from vlmis_utils.protocol.study import Study
from vlmis_utils.report.comparison import comparison_page


def study(root: Path, name: str, **more: object) -> Path:
    made = replace(Study(study=name, build_root=str(root), scenes=6, bootstrap=30), **more)
    write_records(Path(made.records), scenes=6)
    write_study(made)
    return made.folder


def test_the_page_is_built_and_says_what_differs(tmp_path: Path, capsys) -> None:
    first, second = study(tmp_path, "usual"), study(tmp_path, "two", top_k=2)
    out = tmp_path / "page"
    assert main(["compare", str(first), str(second), "--out", str(out)]) == 0
    page = Path(capsys.readouterr().out.strip())
    assert page == out / "html" / "index.html"
    text = page.read_text(encoding="utf-8")
    assert "usual and two side by side" in text and "top_k" in text
    assert "They share 60 images of 6 scenes" in text
    assert "No value of DeepLabV3+, SegFormer, Mask2Former and Qwen2-VL differs" in text


def test_studies_of_other_models_are_not_tested(tmp_path: Path) -> None:
    first, second = study(tmp_path, "a"), study(tmp_path, "b")
    import pyarrow.parquet as pq

    for table, column, kept in (("answers", "vlm", "clip"), ("segmentation", "segmenter", "x")):
        path = second / "records" / f"{table}.parquet"
        arrow = pq.read_table(path)
        mask = [name == kept for name in arrow[column].to_pylist()]
        pq.write_table(arrow.filter(mask) if any(mask) else arrow, path)
    text = comparison_page(first / "records", second / "records", ("a", "b"))
    assert "Only a has Qwen2-VL and SigLIP." in text


@pytest.mark.parametrize(
    ("words", "said"),
    [(("nowhere", "nowhere2"), "no folder of a study"), (("a", "a"), "name two studies")],
)
def test_what_is_no_pair_of_studies_is_one_line(tmp_path: Path, capsys, words, said) -> None:
    study(tmp_path, "a")
    assert main(["compare", *(str(tmp_path / word) for word in words)]) == 2
    assert said in capsys.readouterr().err
