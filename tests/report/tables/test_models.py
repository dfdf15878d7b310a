"""The table of models says what the catalogue and the run say, and counts what it can count."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from vlmis_utils.core.errors import UserError
from vlmis_utils.metrics.answer_states import count_states
from vlmis_utils.models.checkpoints import count_parameters
from vlmis_utils.protocol.models import load_catalogue
from vlmis_utils.report.tables.models import load_answer_states, load_models

RUN = {
    "models": {
        "clip": {"digest": "0123456789abcdef", "visual_tokens": {"256x512": 128}},
        "qwen2-vl-2b": {"commit": "f" * 40, "visual_tokens": {"700x900": 1224, "1024x2048": 1250}},
        "gpt-4o": {"digest": "a" * 64},
    }
}


def row(name: str, run: dict | None = None) -> dict[str, str]:
    return load_models(load_catalogue(), [name], run).iloc[0].to_dict()


def test_parameters_are_those_of_the_file(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(3, 5), "b": torch.zeros(())}, tmp_path / "x.safetensors")
    assert count_parameters(tmp_path) == 16
    folder = Path("vlmis_utils/training/checkpoints/clip")
    tensors = load_file(folder / "open_clip_model.safetensors")
    assert count_parameters(folder) == sum(t.numel() for t in tensors.values())
    (tmp_path / "y.safetensors").write_bytes(b"not one")
    with pytest.raises(UserError, match="y.safetensors is no safetensors file"):
        count_parameters(tmp_path)


def test_an_embedded_model() -> None:
    cells = row("clip", RUN)
    assert cells["visual tokens"] == "128"
    assert cells["checkpoint"] == "in this repository" and cells["revision"] == "`0123456789`"
    count = count_parameters("vlmis_utils/training/checkpoints/clip")
    assert float(cells["parameters"].split()[0]) == pytest.approx(count / 1e6, abs=0.05)


def test_a_public_model_shows_the_run_s_commit_before_the_pin() -> None:
    pinned, run = row("qwen2-vl-2b"), row("qwen2-vl-2b", RUN)
    assert pinned["revision"] == "`895c3a49bc`" and run["revision"] == "`ffffffffff`"
    assert pinned["visual tokens"] == "1250, at most 1280"
    assert run["visual tokens"] == "1224 to 1250"
    assert run["checkpoint"] == "`Qwen/Qwen2-VL-2B-Instruct`"
    assert (run["licence"], run["parameters"]) == ("Apache 2.0", "2.2 B")
    assert row("siglip-vit-b-16")["revision"] == "not pinned"


def test_a_hosted_model() -> None:
    cells = row("gpt-4o", RUN)
    assert cells["checkpoint"] == "`gpt-4o`, hosted" and cells["revision"] == "–"


def test_every_model_of_the_catalogue_has_a_row() -> None:
    catalogue = load_catalogue()
    table = load_models(catalogue, list(catalogue))
    assert len(table) == len(catalogue) and not table.isna().any().any()
    assert table[["model", "checkpoint", "revision"]].astype(bool).all().all()
    ours = [e.shown for e in catalogue.values() if e.kind == "vlm"]
    told = table.set_index("model").loc[ours]
    assert not (told.licence == "–").any() and not (told.parameters == "–").any()


def test_answers_that_are_none_have_a_row_a_model() -> None:
    answers = pd.DataFrame({
        "vlm": ["a", "a", "b"], "text": ["", "A ca", None], "labels": [[], [], ["yes", "no"]],
        "finish_reason": ["length", "length", None], "completion_tokens": [9, 4, None],
        "reasoning_tokens": [9, 0, None],
    })  # fmt: skip
    first, second = load_answer_states(count_states(answers), {"a": "Model A"}).to_dict("records")
    assert first == {
        "VLM": "Model A", "answers": "2", "empty": "1", "cut": "2", "filtered": "0",
        "declined": "0", "no finite scores": "0", "tokens an answer": "6.5",
        "of these reasoning": "4.5",
    }  # fmt: skip
    assert (second["VLM"], second["cut"], second["tokens an answer"]) == ("b", "0", "–")
