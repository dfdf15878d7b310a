"""The converter: what a public file becomes, and what is refused."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.helpers import deeplab_oracle
from tests.helpers.hub import Hub
from tests.helpers.segmenter_checkpoints import write_segformer
from vlmis_utils.__main__ import main
from vlmis_utils.core.errors import UserError
from vlmis_utils.models.convert import (
    convert_deeplab,
    convert_transformers,
    read_public,
)
from vlmis_utils.models.segmentation.deeplab import DeepLabConfig, DeepLabV3Plus
from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.protocol.models import ModelEntry

NARROW = {"aspp_channels": 8, "project_channels": 4, "decoder_channels": 8}


@pytest.fixture(scope="module")
def public() -> dict[str, torch.Tensor]:
    """The state dictionary of a public file: MobileNetV2 at full width, a narrow head."""
    torch.manual_seed(5)
    return DeepLabV3Plus(DeepLabConfig(**NARROW)).state_dict()


def saved(folder: Path, content: object, name: str = "best.pth") -> Path:
    torch.save(content, folder / name)
    return folder / name


def whole(state: dict[str, torch.Tensor]) -> dict[str, object]:
    """What the public training script saves beside the weights."""
    return {
        "cur_itrs": 30000,
        "model_state": state,
        "optimizer_state": {"state": {0: {"momentum_buffer": torch.ones(3)}}, "param_groups": []},
        "scheduler_state": {"max_iters": 30000, "base_lrs": [0.1, 0.01]},
        "best_score": np.float64(0.721),
    }


@pytest.mark.parametrize("content", [whole, dict])
def test_a_public_file_keeps_its_outputs(content, public, tmp_path: Path, capsys) -> None:
    file, out = saved(tmp_path, content(public)), tmp_path / "out"
    assert main(["convert", "deeplabv3plus", str(file), str(out)]) == 0
    assert "mobilenet_v2, output stride 16: 1.9 million parameters" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["config.json", "model.safetensors"]
    model = DeepLabV3Plus.from_pretrained(out)
    images = torch.randn(1, 3, 49, 83)
    with torch.inference_mode():
        expected = deeplab_oracle.forward(public, images)
        torch.testing.assert_close(model(images), expected, atol=1e-5, rtol=1e-5)
    written = load_file(out / "model.safetensors")
    assert set(written) == set(public)
    assert all(torch.equal(written[key], public[key]) for key in public)
    segmenter = load_segmenter(ModelEntry("m", "segmenter", "deeplabv3plus", str(out)))
    assert segmenter.predict(torch.zeros((1, 3, 49, 83), dtype=torch.uint8)).shape == (1, 49, 83)


@pytest.mark.parametrize("backbone", ["resnet50", "resnet101"])
def test_the_backbone_is_inferred(backbone, tmp_path: Path) -> None:
    with torch.device("meta"):
        model = DeepLabV3Plus(DeepLabConfig(backbone=backbone, **NARROW))
    state = {k: torch.zeros((), dtype=v.dtype).expand(v.shape) for k, v in
             model.state_dict().items()}  # fmt: skip
    config = read_public(saved(tmp_path, {"model_state": state})).config
    assert config == DeepLabConfig(backbone=backbone, **NARROW)


def test_the_stride_is_written_down(public, tmp_path: Path) -> None:
    file = saved(tmp_path, {"model_state": public})
    command = ["convert", "deeplabv3plus", str(file), str(tmp_path / "out"), "--output-stride", "8"]
    assert main(command) == 0
    written = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (written["backbone"], written["output_stride"]) == ("mobilenet_v2", 8)
    assert DeepLabV3Plus.from_pretrained(tmp_path / "out").config.rates == (12, 24, 36)


def test_batches_counted_in_training_may_be_missing(public, tmp_path: Path) -> None:
    state = {k: v for k, v in public.items() if not k.endswith("num_batches_tracked")}
    model = read_public(saved(tmp_path, {"model_state": state}))
    assert not model.training
    assert torch.equal(model.state_dict()["classifier.project.0.weight"],
                       public["classifier.project.0.weight"])  # fmt: skip


def test_a_score_pickled_by_numpy_1_is_read(public, tmp_path: Path) -> None:
    file = saved(tmp_path, whole(public))
    old = io.BytesIO()
    with zipfile.ZipFile(file) as before, zipfile.ZipFile(old, "w") as after:
        for item in before.infolist():
            content = before.read(item)
            if item.filename.endswith("data.pkl"):
                assert b"numpy._core.multiarray" in content
                content = content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
            after.writestr(item, content)
    file.write_bytes(old.getvalue())
    read_public(file)


def without(state: dict[str, torch.Tensor], *keys: str) -> dict[str, torch.Tensor]:
    return {key: value for key, value in state.items() if key not in keys}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (lambda s: without(s, "classifier.project.0.weight"), "key classifier.project.0.weight is"),
        (lambda s: without(s, "backbone.high_level_features.9.conv.3.bias"), "9.conv.3.bias is"),
        (lambda s: s | {"backbone.extra": torch.ones(1)}, "key backbone.extra is not part of it"),
        (lambda s: s | {"classifier.classifier.3.bias": torch.ones(21)}, "3.bias is of 21 classes"),
        (lambda s: s | {"backbone.low_level_features.2.conv.2.weight": torch.ones(3, 3)},
         r"2.conv.2.weight is \[3, 3\], not \[24, 96, 1, 1\]"),
        (lambda s: s | {"classifier.project.1.bias": [0.0] * 4}, "project.1.bias is list, not"),
        (lambda s: {f"module.{k}": v for k, v in s.items()}, "key module.backbone.low_level_feat"),
        (lambda s: {"backbone.stem.weight": torch.ones(1)}, "backbone.stem.weight is of no Mob"),
        (lambda s: {}, "holds no weights"),
    ],
)  # fmt: skip
def test_another_layout_is_refused_by_its_key(changed, words, public, tmp_path: Path) -> None:
    file = saved(tmp_path, {"model_state": changed(public)})
    with pytest.raises(UserError, match=words) as caught:
        convert_deeplab(file, tmp_path / "out")
    assert "\n" not in str(caught.value) and "best.pth" in str(caught.value)
    assert not (tmp_path / "out").exists()


class Evil:
    def __reduce__(self):
        return (print, ("ran",))


def test_nothing_but_tensors_and_numbers_is_unpickled(public, tmp_path: Path, capsys) -> None:
    for content in ({"model_state": public, "more": Evil()}, {"model_state": torch.nn.ReLU()}):
        with pytest.raises(UserError, match="holds .*, more than tensors and numbers"):
            convert_deeplab(saved(tmp_path, content), tmp_path / "out")
    assert "ran" not in capsys.readouterr().out
    with pytest.raises(UserError, match="holds a list, not a dictionary"):
        convert_deeplab(saved(tmp_path, [1, 2]), tmp_path / "out")
    (tmp_path / "best.pth").write_text("<html>a page instead of a file</html>")
    with pytest.raises(UserError, match="best.pth is a web page .*: download it again"):
        convert_deeplab(tmp_path / "best.pth", tmp_path / "out")


def test_misuse_of_the_command(tmp_path: Path, capsys) -> None:
    def fails(*words: str) -> str:
        assert main(["convert", *map(str, words)]) == 2
        return capsys.readouterr().err

    assert "did you mean 'deeplabv3plus'" in fails("deeplab", "a", "b")
    assert "no file" in fails("deeplabv3plus", tmp_path / "none.pth", tmp_path / "out")
    (tmp_path / "taken").write_text("")
    with torch.device("meta"):
        state = DeepLabV3Plus(DeepLabConfig(**NARROW)).state_dict()
    state = {k: torch.zeros(v.shape, dtype=v.dtype) for k, v in state.items()}
    assert "name another folder" in fails(
        "deeplabv3plus", saved(tmp_path, {"model_state": state}), tmp_path / "taken"
    )
    assert "has no pytorch_model.bin" in fails("transformers", tmp_path, tmp_path / "out")
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert "has safetensors weights already" in fails("transformers", tmp_path, tmp_path / "out")


@pytest.fixture
def pickled(tmp_path: Path) -> tuple[Path, torch.Tensor]:
    """A repository as older ones are, pickled weights alone, and what the model says."""
    folder = write_segformer(tmp_path / "hub" / "owner" / "old")
    images = torch.randint(0, 256, (2, 3, 40, 70), dtype=torch.uint8)
    entry = ModelEntry("m", "segmenter", "transformers-semantic", str(folder))
    expected = load_segmenter(entry).predict(images)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    (folder / "training_args.bin").write_bytes(b"not read")
    torch.save(images, tmp_path / "images.pt")
    return folder, expected


def test_a_pickled_hub_repository_is_converted_and_then_found(
    pickled, tmp_path: Path, monkeypatch, capsys
) -> None:
    folder, expected = pickled
    images = torch.load(tmp_path / "images.pt", weights_only=True)
    entry = ModelEntry("m", "segmenter", "transformers-semantic", "owner/old")
    monkeypatch.chdir(tmp_path)
    with Hub(tmp_path / "hub", tmp_path / "cache") as hub:
        with pytest.raises(UserError, match="has no safetensors weights") as caught:
            load_segmenter(entry)
        assert not hub.asked(ending=".bin")
        command = re.search("`(vlmis convert .*)`", str(caught.value))[1]
        assert command == "vlmis convert transformers owner/old checkpoints/owner/old"
        assert main(command.split()[1:]) == 0
        assert not hub.asked(ending="training_args.bin")
        assert "million parameters in checkpoints/owner/old" in capsys.readouterr().out
        with hub.offline():
            assert torch.equal(load_segmenter(entry).predict(images), expected)
        pinned = ModelEntry("m", "segmenter", "transformers-semantic", "owner/old", "0" * 40)
        assert torch.equal(load_segmenter(pinned).predict(images), expected)


def test_parts_are_put_together_and_a_lost_one_is_named(pickled, tmp_path: Path) -> None:
    folder, _ = pickled
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    (folder / "pytorch_model.bin").unlink()
    names = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
    keys = list(state)
    halves = keys[: len(keys) // 2], keys[len(keys) // 2 :]
    weight_map = {key: name for name, half in zip(names, halves, strict=True) for key in half}
    index = json.dumps({"metadata": {}, "weight_map": weight_map})
    (folder / "pytorch_model.bin.index.json").write_text(index)
    for name, half in zip(names, halves, strict=True):
        saved(folder, {key: state[key] for key in half}, name)
    assert convert_transformers(folder, tmp_path / "out") == sum(v.numel() for v in state.values())
    load_segmenter(ModelEntry("m", "segmenter", "transformers-semantic", str(tmp_path / "out")))
    assert not (tmp_path / "out" / "pytorch_model.bin.index.json").exists()
    (folder / names[1]).unlink()
    with pytest.raises(UserError, match=f"{names[1]} with key .* is missing"):
        convert_transformers(folder, tmp_path / "again")


def test_a_pickled_file_in_the_catalogue_names_the_command(public, tmp_path: Path) -> None:
    file = saved(tmp_path, {"model_state": public})
    with pytest.raises(UserError, match=f"run `vlmis convert deeplabv3plus {file} FOLDER`"):
        load_segmenter(ModelEntry("m", "segmenter", "deeplabv3plus", str(file)))
    with pytest.raises(UserError, match=f"run `vlmis convert transformers {file} FOLDER`"):
        load_segmenter(ModelEntry("m", "segmenter", "transformers-semantic", str(file)))
