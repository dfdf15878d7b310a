"""Half precision on disk against the weights in a training's resume state."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.helpers.embedded import frames
from vlmis_utils.protocol.models import ModelEntry
from vlmis_utils.training.evaluation.agreement import compare, full_precision
from vlmis_utils.training.nets.segmenter_nets import BUILDERS

LIBRARIES = {"segformer": "transformers-semantic", "deeplabv3plus": "deeplabv3plus"}


@pytest.fixture(params=list(LIBRARIES))
def trained(request, tmp_path: Path) -> tuple[ModelEntry, Path]:
    torch.manual_seed(0)
    network = BUILDERS[request.param]((64, 128), torch.ones(19))
    network.export(tmp_path / "checkpoint")
    state = tmp_path / "a.state.pt"
    torch.save({"average": network.state_dict()}, state)
    folder = str(tmp_path / "checkpoint")
    return ModelEntry(request.param, "segmenter", LIBRARIES[request.param], folder), state


def test_the_weights_of_a_state_are_found_in_full_precision(trained) -> None:
    entry, state = trained
    half = load_file(Path(entry.checkpoint) / "model.safetensors")
    with full_precision(entry, state) as exact:
        full = load_file(Path(exact.checkpoint) / "model.safetensors")
        names = {path.name for path in Path(exact.checkpoint).iterdir()}
    assert names == {path.name for path in Path(entry.checkpoint).iterdir()}
    assert not Path(exact.checkpoint).exists()
    floats = [n for n, w in half.items() if w.dtype == torch.float16]
    assert full.keys() == half.keys() and floats
    for name in floats:
        assert full[name].dtype == torch.float32 and torch.equal(full[name].half(), half[name])
    assert any((full[n] != half[n].float()).any() for n in floats)


def test_both_precisions_agree_but_for_rounding(trained) -> None:
    entry, state = trained
    rows = {r["measure"]: r for r in compare(entry, state, frames(2, 0, 64, 128))}
    assert 0.97 < rows["equal pixels"]["value"] <= 1
    assert rows["equal pixels"]["n"] == 2 * 64 * 128
    assert rows["difference of mIoU"]["value"] < 0.02


def test_a_state_of_another_training_is_not_compared(trained) -> None:
    entry, state = trained
    kept = torch.load(state, weights_only=True)
    name = next(n for n, w in kept["average"].items() if w.ndim > 1 and n.startswith("core."))
    kept["average"][name] += 0.01
    torch.save(kept, state)
    assert compare(entry, state, frames(1, 0, 64, 128)) == []
