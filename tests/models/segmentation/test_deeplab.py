import json
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.helpers import deeplab_oracle
from vlmis_utils.core.errors import UserError
from vlmis_utils.models.segmentation.deeplab import DeepLabConfig, DeepLabV3Plus

TINY = DeepLabConfig(
    width_mult=0.1, aspp_channels=8, project_channels=4, decoder_channels=8, size=(32, 64)
)


@pytest.fixture(scope="module")
def model() -> DeepLabV3Plus:
    torch.manual_seed(0)
    return DeepLabV3Plus(TINY).eval()


def test_public_mobilenet_layout_has_the_published_names_and_shapes():
    with torch.device("meta"):
        state = DeepLabV3Plus(DeepLabConfig()).state_dict()
    shapes = {
        "backbone.low_level_features.0.0.weight": (32, 3, 3, 3),
        "backbone.low_level_features.3.conv.0.0.weight": (144, 24, 1, 1),
        "backbone.high_level_features.4.conv.1.0.weight": (144, 1, 3, 3),
        "backbone.high_level_features.17.conv.2.weight": (320, 960, 1, 1),
        "classifier.project.0.weight": (48, 24, 1, 1),
        "classifier.aspp.convs.0.0.weight": (256, 320, 1, 1),
        "classifier.aspp.convs.3.0.weight": (256, 320, 3, 3),
        "classifier.aspp.convs.4.1.weight": (256, 320, 1, 1),
        "classifier.aspp.project.0.weight": (256, 1280, 1, 1),
        "classifier.classifier.0.weight": (256, 304, 3, 3),
        "classifier.classifier.3.bias": (19,),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes
    assert len({name.split(".")[0] for name in state}) == 2
    assert "backbone.high_level_features.18.0.weight" not in state


def test_resnet_layout():
    with torch.device("meta"):
        state = DeepLabV3Plus(DeepLabConfig(backbone="resnet101")).state_dict()
    assert state["backbone.layer3.22.conv1.weight"].shape == (256, 1024, 1, 1)
    assert state["classifier.project.0.weight"].shape == (48, 256, 1, 1)
    assert not any(name.startswith("backbone.fc") for name in state)


@pytest.mark.parametrize("output_stride", [8, 16])
def test_strides(output_stride):
    model = DeepLabV3Plus(
        DeepLabConfig(
            width_mult=0.1,
            output_stride=output_stride,
            aspp_channels=8,
            project_channels=4,
            decoder_channels=8,
        )
    ).eval()
    with torch.inference_mode():
        features = model.backbone(torch.zeros(1, 3, 65, 129))
    assert features["low_level"].shape[2:] == (16, 32)
    assert features["out"].shape[2:] == (64 // output_stride, 128 // output_stride)
    assert model.config.rates == ((6, 12, 18) if output_stride == 16 else (12, 24, 36))


def test_a_block_pads_before_its_expansion(model):
    # With zero padding after the expansion, borders would differ: batch norm turns 0 into its bias.
    block = model.backbone["high_level_features"][-1]
    expand, depthwise, project, norm = block.conv
    with torch.no_grad():
        expand[1].bias.fill_(1.0)
        x = torch.randn(1, expand[0].in_channels, 6, 7)
        padded = functional.pad(x, (block.pad,) * 4)
        wide = functional.relu6(expand[1](expand[0](padded)))
        inner = functional.conv2d(
            wide, depthwise[0].weight, dilation=depthwise[0].dilation, groups=wide.shape[1]
        )
        expected = norm(project(functional.relu6(depthwise[1](inner))))
        assert torch.allclose(block(x), expected, atol=1e-5)
        assert block(x).shape[2:] == x.shape[2:]
        assert block.pad == 2  # output stride 16: the last block is dilated


def test_forward_is_the_coarse_map_upsampled(model):
    x = torch.randn(2, 3, 32, 64)
    with torch.inference_mode():
        full, coarse = model(x), model.coarse(x)
    assert full.shape == (2, 19, 32, 64)
    resized = functional.interpolate(coarse, (32, 64), mode="bilinear", align_corners=False)
    assert torch.equal(full, resized)


def test_round_trip_keeps_labels_and_settings(model, tmp_path):
    model.save_pretrained(tmp_path)
    back = DeepLabV3Plus.from_pretrained(tmp_path)
    assert back.config == TINY and not back.training
    assert {p.dtype for p in back.parameters()} == {torch.float32}
    x = torch.randn(2, 3, 32, 64)
    with torch.inference_mode():
        assert torch.allclose(model(x), back(x), atol=2e-2)
    back.save_pretrained(tmp_path / "again")
    first = (tmp_path / "model.safetensors").read_bytes()
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == first
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("backbone", "output_stride", "sizes"),
    [
        ("mobilenet_v2", 16, [(97, 131), (50, 83)]),
        ("mobilenet_v2", 8, [(65, 129)]),
        ("resnet50", 8, [(41, 67)]),
        ("resnet101", 16, [(65, 97)]),
    ],
)
def test_outputs_are_those_of_an_independent_implementation(backbone, output_stride, sizes):
    torch.manual_seed(2)
    config = DeepLabConfig(
        backbone=backbone,
        output_stride=output_stride,
        aspp_channels=32,
        project_channels=12,
        decoder_channels=24,
    )
    with torch.device("meta"):
        model = DeepLabV3Plus(config).eval()
    state = random_statistics(model.to_empty(device="cpu"))
    with torch.inference_mode():
        for size in sizes:
            images = torch.randn(1, 3, *size)
            expected = deeplab_oracle.forward(state, images, output_stride)
            assert expected.std() > 1e-2
            torch.testing.assert_close(model(images), expected, atol=1e-5, rtol=1e-5)


def random_statistics(model: DeepLabV3Plus) -> dict[str, torch.Tensor]:
    """Give batch norm other values than its first ones, and keep signals near unit size."""
    state = model.state_dict()
    for name, value in state.items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
        elif name.endswith("running_mean") or (name.endswith("bias") and value.ndim == 1):
            value.normal_(0, 0.1)
        elif name.endswith("weight") and value.ndim == 1:
            value.uniform_(0.5, 1.0)
        elif name.endswith("weight"):
            fan = value[0].numel()
            value.normal_(0, fan**-0.5)
    return state


def test_errors_name_the_file_and_the_remedy(model, tmp_path):
    with pytest.raises(UserError, match="config.json: run `make weights`"):
        DeepLabV3Plus.from_pretrained(tmp_path)
    model.save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(UserError, match="model.safetensors does not load.*make weights"):
        DeepLabV3Plus.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "unet"}))
    with pytest.raises(UserError, match="no DeepLabV3\\+ configuration"):
        DeepLabV3Plus.from_pretrained(tmp_path)
    with pytest.raises(UserError, match="did you mean 'resnet50'"):
        DeepLabV3Plus(DeepLabConfig(backbone="resnet5"))
    with pytest.raises(UserError, match="use 8 or 16"):
        DeepLabV3Plus(DeepLabConfig(output_stride=4))


@pytest.mark.parametrize("backbone", ["mobilenet_v2", "resnet50"])
def test_folding_normalisation_leaves_the_scores(backbone: str) -> None:
    torch.manual_seed(0)
    model = DeepLabV3Plus(replace(TINY, backbone=backbone)).eval()
    for module in model.modules():  # as after training: no mean is 0, no variance 1
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.bias, -0.1, 0.1)
    images = torch.rand(2, 3, 32, 64)
    with torch.inference_mode():
        before = model(images)
        after = model.fold_normalisation()(images)
    kinds = {type(module) for module in model.classifier.modules()}
    assert nn.BatchNorm2d not in kinds and before.std() > 1e-4
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-5 * float(before.abs().max()))
