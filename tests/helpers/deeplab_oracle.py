"""DeepLabV3+ once more, from its papers and the described layout: functions of a state dictionary.

No module of torchvision or of this package: convolutions, batch norm and interpolation, called with
the tensors that a key names. Backbones: ResNet with bottlenecks (He et al. 2016, stride in the 3x3
convolution), MobileNetV2 (Sandler et al. 2018) with symmetric fixed padding before each block.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

State = dict[str, Tensor]

# Of MobileNetV2's groups: expansion, blocks, stride of the first block.
GROUPS = ((1, 1, 1), (6, 2, 2), (6, 3, 2), (6, 4, 2), (6, 3, 1), (6, 3, 2), (6, 1, 1))


def forward(state: State, images: Tensor, output_stride: int = 16) -> Tensor:
    """Return logits at the images' size, in evaluation mode."""
    mobile = "backbone.low_level_features.0.0.weight" in state
    low, deep = (mobilenet if mobile else resnet)(state, images, output_stride)
    rates = (6, 12, 18) if output_stride == 16 else (12, 24, 36)
    low = unit(state, "classifier.project", low)
    deep = aspp(state, deep, rates)
    deep = F.interpolate(deep, low.shape[2:], mode="bilinear", align_corners=False)
    x = unit(state, "classifier.classifier", torch.cat([low, deep], 1), padding=1)
    x = F.conv2d(x, state["classifier.classifier.3.weight"], state["classifier.classifier.3.bias"])
    return F.interpolate(x, images.shape[2:], mode="bilinear", align_corners=False)


def norm(state: State, key: str, x: Tensor) -> Tensor:
    mean, var = state[f"{key}.running_mean"], state[f"{key}.running_var"]
    scale = state[f"{key}.weight"] / (var + 1e-5).sqrt()
    shift = state[f"{key}.bias"] - mean * scale
    return x * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)


def unit(state: State, key: str, x: Tensor, **how: object) -> Tensor:
    """A convolution called 0, batch norm called 1, and ReLU."""
    return F.relu(norm(state, f"{key}.1", F.conv2d(x, state[f"{key}.0.weight"], **how)))


def aspp(state: State, x: Tensor, rates: tuple[int, ...]) -> Tensor:
    key = "classifier.aspp.convs"
    parts = [unit(state, f"{key}.0", x)]
    for index, rate in enumerate(rates, start=1):
        parts.append(unit(state, f"{key}.{index}", x, padding=rate, dilation=rate))
    pooled = F.conv2d(x.mean((2, 3), keepdim=True), state[f"{key}.4.1.weight"])
    pooled = F.relu(norm(state, f"{key}.4.2", pooled))
    parts.append(pooled.expand(-1, -1, *x.shape[2:]))
    return unit(state, "classifier.aspp.project", torch.cat(parts, 1))


def resnet(state: State, x: Tensor, output_stride: int) -> tuple[Tensor, Tensor]:
    x = F.conv2d(x, state["backbone.conv1.weight"], stride=2, padding=3)
    x = F.max_pool2d(F.relu(norm(state, "backbone.bn1", x)), 3, stride=2, padding=1)
    reached, dilation, low = 4, 1, None
    for layer in (1, 2, 3, 4):
        stride, first = (1 if layer == 1 else 2), dilation
        if reached * stride > output_stride:
            dilation, stride = dilation * stride, 1
        reached *= stride
        block = 0
        while f"backbone.layer{layer}.{block}.conv1.weight" in state:
            key = f"backbone.layer{layer}.{block}"
            rate = first if block == 0 else dilation
            x = bottleneck(state, key, x, stride if block == 0 else 1, rate)
            block += 1
        low = x if layer == 1 else low
    assert low is not None
    return low, x


def bottleneck(state: State, key: str, x: Tensor, stride: int, rate: int) -> Tensor:
    out = F.relu(norm(state, f"{key}.bn1", F.conv2d(x, state[f"{key}.conv1.weight"])))
    out = F.conv2d(out, state[f"{key}.conv2.weight"], stride=stride, padding=rate, dilation=rate)
    out = F.relu(norm(state, f"{key}.bn2", out))
    out = norm(state, f"{key}.bn3", F.conv2d(out, state[f"{key}.conv3.weight"]))
    if f"{key}.downsample.0.weight" in state:
        x = F.conv2d(x, state[f"{key}.downsample.0.weight"], stride=stride)
        x = norm(state, f"{key}.downsample.1", x)
    return F.relu(out + x)


def mobilenet(state: State, x: Tensor, output_stride: int) -> tuple[Tensor, Tensor]:
    key = "backbone.low_level_features.0"
    x = F.conv2d(x, state[f"{key}.0.weight"], stride=2)  # no padding at all
    x = F.relu6(norm(state, f"{key}.1", x))
    reached, dilation, index, low = 2, 1, 0, None
    for _, blocks, stride in GROUPS:
        first = dilation
        if reached == output_stride:
            dilation, stride = dilation * stride, 1
        reached *= stride
        for block in range(blocks):
            index += 1
            half = "low" if index <= 3 else "high"
            name = f"backbone.{half}_level_features.{index}.conv"
            rate = first if block == 0 else dilation
            x = inverted(state, name, x, stride if block == 0 else 1, rate)
            low = x if index == 3 else low
    assert low is not None
    return low, x


def inverted(state: State, key: str, x: Tensor, stride: int, rate: int) -> Tensor:
    effective = 3 + 2 * (rate - 1)
    before = (effective - 1) // 2
    after = effective - 1 - before
    out, step = F.pad(x, (before, after, before, after)), 0
    if f"{key}.3.weight" in state:  # an expansion comes first
        out = F.relu6(norm(state, f"{key}.0.1", F.conv2d(out, state[f"{key}.0.0.weight"])))
        step = 1
    depthwise = state[f"{key}.{step}.0.weight"]
    out = F.conv2d(out, depthwise, stride=stride, dilation=rate, groups=len(depthwise))
    out = F.relu6(norm(state, f"{key}.{step}.1", out))
    out = norm(state, f"{key}.{step + 2}", F.conv2d(out, state[f"{key}.{step + 1}.weight"]))
    return x + out if stride == 1 and x.shape[1] == out.shape[1] else out
