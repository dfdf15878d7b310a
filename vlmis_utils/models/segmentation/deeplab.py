"""DeepLabV3+ (Chen et al. 2018) on torchvision's backbones and ASPP, with the V3+ decoder.

Parameters are named and shaped as in the widely used public PyTorch checkpoints for Cityscapes
(``backbone.*``, ``classifier.project.*``, ``classifier.aspp.*``, ``classifier.classifier.*``), so
their state dictionaries load unchanged, through `models.convert`. As there, a MobileNetV2
backbone is split into ``low_level_features`` (stride 4) and ``high_level_features``, its first
convolution has no padding and each block pads its own input before the expansion.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import mobilenet_v2, resnet50, resnet101
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.segmentation.deeplabv3 import ASPP

from vlmis_utils.core.errors import UserError, closest, one_line
from vlmis_utils.protocol.classes import TRAIN_CLASSES

__all__ = ["BACKBONES", "DeepLabConfig", "DeepLabV3Plus"]

BACKBONES = ("mobilenet_v2", "resnet50", "resnet101")
_RESNETS = {"resnet50": resnet50, "resnet101": resnet101}
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"


@dataclass(frozen=True)
class DeepLabConfig:
    """What ``config.json`` holds.

    Attributes:
        backbone: one of `BACKBONES`.
        width_mult: MobileNetV2's width; 1.0 in the public checkpoints.
        output_stride: 16 or 8.
        atrous_rates: of the ASPP; None for 6, 12, 18 at stride 16 and twice that at stride 8.
        aspp_channels, project_channels, decoder_channels: 256, 48, 256 in the public checkpoints.
        labels: the class of each output channel.
        mean, std: normalisation of RGB in [0, 1].
        size: (height, width) that images are resized to, or None for their own.
    """

    backbone: str = "mobilenet_v2"
    width_mult: float = 1.0
    output_stride: int = 16
    atrous_rates: tuple[int, int, int] | None = None
    aspp_channels: int = 256
    project_channels: int = 48
    decoder_channels: int = 256
    labels: tuple[str, ...] = TRAIN_CLASSES
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    size: tuple[int, int] | None = None

    @property
    def rates(self) -> tuple[int, int, int]:
        """The atrous rates in use."""
        return self.atrous_rates or ((6, 12, 18) if self.output_stride == 16 else (12, 24, 36))


class _PaddedBlock(nn.Module):
    """An inverted residual of MobileNetV2 whose input is padded before the expansion."""

    def __init__(self, conv: nn.Sequential, pad: int, residual: bool) -> None:
        super().__init__()
        self.conv = conv
        self.pad = pad
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv(functional.pad(x, (self.pad,) * 4))
        return x + out if self.residual else out


class _Head(nn.Module):
    """The V3+ decoder: ASPP upsampled to the low-level features, one fusion convolution."""

    def __init__(self, config: DeepLabConfig, channels: int, low_channels: int) -> None:
        super().__init__()
        low, deep, wide = config.project_channels, config.aspp_channels, config.decoder_channels
        self.project = nn.Sequential(
            nn.Conv2d(low_channels, low, 1, bias=False), nn.BatchNorm2d(low), nn.ReLU(inplace=True)
        )
        self.aspp = ASPP(channels, list(config.rates), deep)
        self.aspp.project[3].p = 0.1  # as in the paper's code; torchvision's default is 0.5
        self.classifier = nn.Sequential(
            nn.Conv2d(low + deep, wide, 3, padding=1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(inplace=True),
            nn.Conv2d(wide, len(config.labels), 1),
        )

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        low = self.project(features["low_level"])
        deep = functional.interpolate(
            self.aspp(features["out"]), low.shape[2:], mode="bilinear", align_corners=False
        )
        return self.classifier(torch.cat([low, deep], dim=1))


class DeepLabV3Plus(nn.Module):
    """DeepLabV3+; `forward` maps normalised images to logits at their size."""

    def __init__(self, config: DeepLabConfig) -> None:
        super().__init__()
        if config.backbone not in BACKBONES:
            raise UserError(
                f"unknown backbone {config.backbone!r}{closest(config.backbone, BACKBONES)}"
            )
        if config.output_stride not in (8, 16):
            raise UserError(f"output stride {config.output_stride} is not supported: use 8 or 16")
        self.config = config
        if config.backbone == "mobilenet_v2":
            body, channels, low_channels = _mobilenet(config)
            layers = {"low_level_features": "low_level", "high_level_features": "out"}
        else:
            dilate = [False, config.output_stride == 8, True]
            body = _RESNETS[config.backbone](weights=None, replace_stride_with_dilation=dilate)
            channels, low_channels = 2048, 256
            layers = {"layer1": "low_level", "layer4": "out"}
        self.backbone = IntermediateLayerGetter(body, layers)
        self.classifier = _Head(config, channels, low_channels)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
        nn.init.normal_(self.classifier.classifier[-1].weight, std=0.01)

    def coarse(self, images: Tensor) -> Tensor:
        """Return logits float (B, C, ~H/4, ~W/4) of normalised images float (B, 3, H, W)."""
        return self.classifier(self.backbone(images))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits float (B, C, H, W) of normalised images float (B, 3, H, W)."""
        return functional.interpolate(
            self.coarse(images), images.shape[2:], mode="bilinear", align_corners=False
        )

    def fold_normalisation(self) -> DeepLabV3Plus:
        """Fold every batch normalisation after a convolution into it, and return the model.

        For evaluation only: the scores stay, but for rounding, and are had in less time. The layers
        of a sequence are folded, which is all of MobileNetV2 and of the decoder.
        """
        for part in [m for m in self.modules() if isinstance(m, nn.Sequential)]:
            for index, (one, after) in enumerate(pairwise(part)):
                if isinstance(one, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                    part[index], part[index + 1] = fuse_conv_bn_eval(one, after), nn.Identity()
        return self

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype = torch.float16) -> None:
        """Write ``config.json`` and ``model.safetensors``; each replaced atomically.

        Args:
            folder: where to; made where it does not exist.
            dtype: of the weights on disk.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {
            name: (value.to(dtype) if value.is_floating_point() else value).contiguous().cpu()
            for name, value in self.state_dict().items()
        }
        partial = folder / f".{_WEIGHTS}"
        save_file(tensors, partial, metadata={"format": "pt"})
        partial.chmod(0o644)
        os.replace(partial, folder / _WEIGHTS)
        partial = folder / f".{_CONFIG}"
        settings = {"architecture": "deeplabv3plus", **asdict(self.config)}
        partial.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        os.replace(partial, folder / _CONFIG)

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> DeepLabV3Plus:
        """Return the model of a folder in evaluation mode, float32, on the CPU.

        Raises:
            UserError: a file is missing or broken, or the weights do not fit the configuration.
        """
        folder = Path(folder)
        for name in (_CONFIG, _WEIGHTS):
            if not (folder / name).is_file():
                raise UserError(f"{folder} holds no {name}: run `make weights` or mend the path")
        model = cls(_read_config(folder / _CONFIG))
        try:
            tensors = load_file(folder / _WEIGHTS)
            model.load_state_dict(
                {n: t.float() if t.is_floating_point() else t for n, t in tensors.items()}
            )
        except Exception as error:
            first = one_line(error)
            raise UserError(
                f"{folder / _WEIGHTS} does not load ({first}): run `make weights`"
            ) from error
        return model.eval()


def _read_config(path: Path) -> DeepLabConfig:
    try:
        settings: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if settings.pop("architecture", None) != "deeplabv3plus":
            raise ValueError("its architecture is not deeplabv3plus")
        lists = {key: tuple(v) for key, v in settings.items() if isinstance(v, list)}
        return DeepLabConfig(**{**settings, **lists})
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is no DeepLabV3+ configuration: {error}") from error


def _mobilenet(config: DeepLabConfig) -> tuple[nn.Module, int, int]:
    """Return torchvision's MobileNetV2 split at stride 4, its channels, its low-level channels."""
    features = mobilenet_v2(weights=None, width_mult=config.width_mult).features[:-1]
    features[0][0].padding = (0, 0)
    stride, dilation = 2, 1
    blocks: list[tuple[str, nn.Module]] = [("0", features[0])]
    for index, block in enumerate(features[1:], start=1):
        conv = next(m for m in block.conv.modules() if isinstance(m, nn.Conv2d) and m.groups > 1)
        own_dilation = dilation
        if conv.stride[0] == 2:
            if stride == config.output_stride:
                conv.stride = (1, 1)
                dilation *= 2
            else:
                stride *= 2
        conv.dilation = (own_dilation, own_dilation)
        conv.padding = (0, 0)
        blocks.append((str(index), _PaddedBlock(block.conv, own_dilation, block.use_res_connect)))
    body = nn.Module()
    body.low_level_features = nn.Sequential(OrderedDict(blocks[:4]))
    body.high_level_features = nn.Sequential(OrderedDict(blocks[4:]))
    low_channels = body.low_level_features[-1].conv[-1].num_features
    return body, body.high_level_features[-1].conv[-1].num_features, low_channels
