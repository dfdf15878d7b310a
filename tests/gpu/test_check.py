"""The GPU checks on a machine without a GPU: they say so; what they measure can be measured."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch

from tests.gpu import check, kit, measure
from vlmis_utils.protocol.models import find_model, load_catalogue


def test_without_a_gpu_it_is_one_line_and_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert check.main(["--out", str(tmp_path / "gpu.csv")]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "no GPU" in said.err
    assert not (tmp_path / "gpu.csv").exists()


def test_rows_become_a_file_that_a_page_can_read(tmp_path: Path) -> None:
    rows = measure.equal_bytes("cpu", [(16, 24)]) + measure.bandwidth("cpu", 1, 16, 32)
    assert [row.value for row in rows[:2]] == [0, 0]
    shares = [row.value for row in rows if row.unit == "%"]
    assert len(shares) == 9 and all(share > 0 for share in shares)
    check.write(tmp_path / "gpu.csv", rows, "a machine")
    with (tmp_path / "gpu.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["subject"] for row in read] == [row.subject for row in rows]
    assert {row["machine"] for row in read} == {"a machine"}


def test_an_entry_may_be_asked_for_in_another_precision() -> None:
    entry = find_model(load_catalogue("params/models.yaml"), "qwen2-vl", "vlm")
    other = measure._with(entry, dtype="bfloat16")
    assert other.option("dtype") == "bfloat16" and other.checkpoint == entry.checkpoint


def test_a_kit_replaces_nothing_that_is_installed(tmp_path: Path) -> None:
    assert kit.install(tmp_path) == [] and not list(tmp_path.iterdir())
