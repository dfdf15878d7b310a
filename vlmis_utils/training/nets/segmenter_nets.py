"""The three small segmentation networks.

A `Network` wraps a library model: `forward` gives the loss, `scores` what the argmax is taken over
(as the library's own post-processing does it), `export` writes the library's own folder format.
"""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import (
    Mask2FormerConfig,
    Mask2FormerForUniversalSegmentation,
    Mask2FormerImageProcessor,
    SegformerConfig,
    SegformerForSemanticSegmentation,
    SegformerImageProcessor,
    SwinConfig,
)

from vlmis_utils.models.segmentation.deeplab import DeepLabConfig, DeepLabV3Plus
from vlmis_utils.protocol.classes import IGNORE, TRAIN_CLASSES
from vlmis_utils.training.nets.segmenter_losses import pixel_loss, query_loss

__all__ = ["BUILDERS", "Network"]

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CLASSES = {
    "num_labels": len(TRAIN_CLASSES), "id2label": dict(enumerate(TRAIN_CLASSES)),
    "label2id": {name: index for index, name in enumerate(TRAIN_CLASSES)},
}  # fmt: skip


class Network(nn.Module):
    """A library model with its normalisation, its loss and its export."""

    def __init__(self, core: nn.Module, weights: Tensor, size: tuple[int, int]) -> None:
        super().__init__()
        self.core = core
        self.size = size
        self.register_buffer("weights", weights)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1))

    def normalise(self, images: Tensor) -> Tensor:
        """Return images in [0, 1] as the model wants them."""
        return (images - self.mean) / self.std

    def scores(self, images: Tensor) -> Tensor:
        """Return float (B, 19, ~H/4, ~W/4) of images float (B, 3, H, W) in [0, 1]."""
        raise NotImplementedError

    @property
    def last(self) -> nn.Conv2d:
        """The layer whose outputs are one logit a class.

        Raises:
            RuntimeError: the network has no such layer.
        """
        raise RuntimeError(f"{type(self.core).__name__} has no layer with a logit a class")

    @torch.no_grad()
    def adjust(self, strength: float) -> None:
        """Lower the logits by ``strength`` times the logarithm of the class weights, for good.

        Under a weighted loss rare classes are predicted too often. At strength 1 that is undone
        (Menon et al. 2021, logit adjustment), between 0 and 1 in part.

        Raises:
            RuntimeError: the network has no layer `last`.
        """
        self.last.bias -= strength * self.weights.log()

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of images float (B, 3, H, W) and labels int64 (B, H, W), 255 = ignore."""
        return pixel_loss(self.scores(images), labels, self.weights)

    def export(self, folder: str | Path) -> None:
        """Write a folder in the library's own format, float16, each file replaced atomically."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export-") as partial:
            self._write(Path(partial))
            for path in sorted(Path(partial).iterdir()):
                path.chmod(0o644)
                os.replace(path, folder / path.name)

    def _write(self, folder: Path) -> None:
        raise NotImplementedError

    def _half(self) -> nn.Module:
        return copy.deepcopy(self.core).half().cpu()


class _DeepLab(Network):
    def scores(self, images: Tensor) -> Tensor:
        x = self.normalise(images).contiguous(memory_format=torch.channels_last)
        return self.core.coarse(x)

    @property
    def last(self) -> nn.Conv2d:
        return self.core.classifier.classifier[-1]

    def _write(self, folder: Path) -> None:
        self.core.save_pretrained(folder)


class _Segformer(Network):
    def scores(self, images: Tensor) -> Tensor:
        return self.core(pixel_values=self.normalise(images)).logits

    @property
    def last(self) -> nn.Conv2d:
        return self.core.decode_head.classifier

    def _write(self, folder: Path) -> None:
        self._half().save_pretrained(folder)
        height, width = self.size
        SegformerImageProcessor(
            size={"height": height, "width": width}, image_mean=_MEAN, image_std=_STD
        ).save_pretrained(folder)


class _Mask2Former(Network):
    """Query k stands for class k, so that no matching has to be learned first."""

    def _outputs(self, images: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        out = self.core(pixel_values=self.normalise(images), output_auxiliary_logits=self.training)
        earlier = []
        if self.training:
            earlier = [layer["masks_queries_logits"] for layer in out.auxiliary_logits or ()]
        return out.class_queries_logits, out.masks_queries_logits, earlier

    def scores(self, images: Tensor) -> Tensor:
        classes, masks, _ = self._outputs(images)
        shares = classes.softmax(-1)[..., :-1]
        return torch.einsum("bqc,bqhw->bchw", shares, masks.sigmoid())

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        classes, masks, earlier = self._outputs(images)
        loss = query_loss(classes, masks, labels, self.weights)
        for coarse in earlier:
            loss = loss + 0.2 * pixel_loss(coarse, labels, self.weights, stride=4)
        return loss

    def _write(self, folder: Path) -> None:
        self._half().save_pretrained(folder)
        height, width = self.size
        Mask2FormerImageProcessor(
            size={"height": height, "width": width}, image_mean=_MEAN, image_std=_STD,
            ignore_index=IGNORE, num_labels=len(TRAIN_CLASSES),
        ).save_pretrained(folder)  # fmt: skip


def _deeplab(size: tuple[int, int], weights: Tensor) -> Network:
    config = DeepLabConfig(
        width_mult=0.5, aspp_channels=96, project_channels=24, decoder_channels=64, size=size
    )
    core = DeepLabV3Plus(config).to(memory_format=torch.channels_last)
    return _DeepLab(core, weights, size)


def _segformer(size: tuple[int, int], weights: Tensor) -> Network:
    config = SegformerConfig(
        **_CLASSES, semantic_loss_ignore_index=IGNORE, depths=[1, 2, 2, 2],
        hidden_sizes=[16, 40, 96, 160], num_attention_heads=[1, 2, 4, 5], decoder_hidden_size=64,
        drop_path_rate=0.0, classifier_dropout_prob=0.0,
    )  # fmt: skip
    return _Segformer(SegformerForSemanticSegmentation(config), weights, size)


def _mask2former(size: tuple[int, int], weights: Tensor) -> Network:
    backbone = SwinConfig(
        embed_dim=32, depths=[1, 2, 2, 2], num_heads=[2, 4, 8, 8], window_size=8, mlp_ratio=3.0,
        drop_path_rate=0.0, out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = Mask2FormerConfig(
        backbone_config=backbone, **_CLASSES, num_queries=len(TRAIN_CLASSES), hidden_dim=96,
        feature_size=96, mask_feature_size=96, encoder_feedforward_dim=256, dim_feedforward=384,
        encoder_layers=1, decoder_layers=3, num_attention_heads=4, dropout=0.0,
    )  # fmt: skip
    return _Mask2Former(Mask2FormerForUniversalSegmentation(config), weights, size)


BUILDERS: dict[str, Callable[[tuple[int, int], Tensor], Network]] = {
    "deeplabv3plus": _deeplab,
    "segformer": _segformer,
    "mask2former": _mask2former,
}
