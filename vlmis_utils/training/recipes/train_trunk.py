"""Recipe of the trunk that the embedded CLIP and SigLIP look with: dense pretraining (`dense`).

It starts as the backbone of the embedded DeepLabV3+, and learns, on crops around objects and then
on whole images, to say in its last map what each patch of 8 x 8 pixels holds. The towers will pool
that map, so its greatest values alone must also tell what the image shows.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import safetensors.torch
import timm
import torch
from torch import Tensor, nn

from vlmis_utils.models.segmentation.deeplab import DeepLabV3Plus
from vlmis_utils.training.loop import Fit, fit
from vlmis_utils.training.nets.dense import (
    DenseHead,
    class_weights,
    dense_loss,
    object_auc,
    scene_loss,
)
from vlmis_utils.training.nets.pixels import normalise
from vlmis_utils.training.nets.scenes import SCENE_TARGETS, Batch, Scenes, crops_first

__all__ = ["TRUNK", "SeeingTrunk", "load_backbone", "train_trunk", "trunk_loss"]

TRUNK = "mobilenetv2_050"
# Side in pixels of a cell of the last map, and of the patches that it tells.
_CELL, _PATCH = 32, 8


class SeeingTrunk(nn.Module):
    """The trunk with a dense head on its last map, and a linear one on that map's maxima."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = timm.create_model(TRUNK, num_classes=0)
        self.head = DenseHead(self.trunk.num_features, side=_CELL // _PATCH)
        self.pooled = nn.Linear(self.trunk.num_features, len(SCENE_TARGETS))
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map normalised images (B, 3, H, W) to the logits of `DenseHead` and pooled ones (B, 13).

        The last are of `SCENE_TARGETS`.
        """
        cells = self.trunk.forward_features(images.contiguous(memory_format=torch.channels_last))
        return *self.head(cells.permute(0, 2, 3, 1)), self.pooled(cells.amax((2, 3)))


def load_backbone(trunk: nn.Module, folder: Path) -> None:
    """Give the trunk the weights of a checkpoint.

    Args:
        trunk: timm's MobileNetV2.
        folder: an earlier CLIP or SigLIP of the same trunk, or a DeepLabV3+ on torchvision's
            MobileNetV2: that lists the same layers in the same order, and timm's last convolution
            is not among them.

    Raises:
        UserError: the checkpoint is missing.
    """
    state = trunk.state_dict()
    earlier = folder / "open_clip_model.safetensors"
    if earlier.exists():  # a tower's last layer, its projection, is no part of the trunk
        tower = safetensors.torch.load_file(earlier)
        trunk.load_state_dict({key: tower[f"visual.trunk.{key}"].float() for key in state})
        return
    theirs = list(DeepLabV3Plus.from_pretrained(folder).backbone.state_dict().values())
    mine = [key for key in state if key.startswith(("conv_stem", "bn1", "blocks"))]
    trunk.load_state_dict(state | dict(zip(mine, theirs, strict=True)))


def trunk_loss(model: nn.Module, batch: Batch, *, weights: Tensor, device: str) -> Tensor:
    """Return the loss of one step: `dense.dense_loss`, and `dense.scene_loss` of the maxima.

    Args:
        model: a `SeeingTrunk`.
        weights: of `dense.class_weights`.
    """
    batch = batch.to(device)
    patches, votes, pooled = model(batch.images)
    return dense_loss(patches, votes, batch, weights) + scene_loss(pooled, batch)


@torch.inference_mode()
def validate_trunk(model: SeeingTrunk, scenes: Scenes, device: str, batch: int = 16) -> float:
    """Return the mean AUC with which the pooled map tells each object class."""
    rows = []
    for start in range(0, len(scenes), batch):
        images = torch.from_numpy(np.array(scenes.data.images[start : start + batch]))
        rows.append(model(normalise(images.permute(0, 3, 1, 2)).to(device))[2].float().cpu())
    return object_auc(scenes, torch.cat(rows).numpy())


def train_trunk(
    train: Scenes,
    val: Scenes,
    backbone: Path,
    *,
    work: Path,
    log: Path,
    device: str,
    minutes: float | None,
    steps: int,
    seed: int,
    eval_every: int,
    batch: int = 16,
    lr: float = 2e-3,
    workers: int = 1,
) -> Fit:
    """Train the trunk; a finished run in ``work`` is returned at once.

    Args:
        backbone: checkpoint folder that the trunk begins with, see `load_backbone`.
        batch: crops a step, of all workers together.
        The rest is as in `training.fit`.

    Returns:
        the finished run of a `SeeingTrunk`; its metric is `validate_trunk`.
    """
    torch.manual_seed(seed)
    model = SeeingTrunk()
    load_backbone(model.trunk, backbone)
    weights = class_weights(train.data).to(device)
    return fit(
        "contrastive-trunk",
        model,
        crops_first(train, _PATCH, batch // workers),
        partial(trunk_loss, weights=weights, device=device),
        steps=steps,
        minutes=minutes,
        lr=lr,
        weight_decay=0.03,
        warmup=60,
        out=work,
        seed=seed,
        save_every=100,
        eval_every=eval_every,
        evaluate=lambda average: validate_trunk(average, val, device),
        device=device,
        log=log,
        workers=workers,
        signature=f"{TRUNK} {len(train)} {seed} {batch} {lr} {minutes} {steps} 2",
    )
