"""Tiny random segmentation checkpoints, written by the library's own classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from vlmis_utils.protocol.classes import TRAIN_CLASSES

__all__ = ["write_eomt", "write_mask2former", "write_segformer"]


def labels(names: Sequence[str]) -> dict[str, object]:
    return {
        "id2label": dict(enumerate(names)),
        "label2id": {name: index for index, name in enumerate(names)},
    }


def write_segformer(
    folder: Path, names: Sequence[str] = TRAIN_CLASSES, size: tuple[int, int] = (32, 64)
) -> Path:
    """Write a Segformer whose processor resizes to ``size``."""
    from transformers import (
        SegformerConfig,
        SegformerForSemanticSegmentation,
        SegformerImageProcessor,
    )

    torch.manual_seed(0)
    config = SegformerConfig(
        **labels(names),
        depths=[1, 1, 1, 1],
        hidden_sizes=[8, 8, 16, 16],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
    )
    model = lively(SegformerForSemanticSegmentation(config).eval())
    model.save_pretrained(folder)
    SegformerImageProcessor(size=sides(size)).save_pretrained(folder)
    return folder


def write_mask2former(
    folder: Path, names: Sequence[str] = TRAIN_CLASSES, size: tuple[int, int] = (64, 64)
) -> Path:
    """Write a Mask2Former with a Swin backbone whose processor resizes to ``size``."""
    from transformers import (
        Mask2FormerConfig,
        Mask2FormerForUniversalSegmentation,
        Mask2FormerImageProcessor,
        SwinConfig,
    )

    torch.manual_seed(0)
    swin = SwinConfig(
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 2, 2],
        window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    config = Mask2FormerConfig(
        **labels(names),
        backbone_config=swin,
        feature_size=32,
        mask_feature_size=32,
        hidden_dim=32,
        encoder_feedforward_dim=16,
        encoder_layers=1,
        num_attention_heads=2,
        dim_feedforward=16,
        decoder_layers=2,
        num_queries=40,
    )
    model = lively(Mask2FormerForUniversalSegmentation(config).eval())
    with torch.no_grad():
        model.class_predictor.weight.mul_(8)
        for value in model.model.transformer_module.decoder.mask_predictor.parameters():
            value.mul_(2)
    model.save_pretrained(folder)
    Mask2FormerImageProcessor(size=sides(size), num_labels=len(names)).save_pretrained(folder)
    return folder


def write_eomt(folder: Path, names: Sequence[str] = TRAIN_CLASSES, side: int = 32) -> Path:
    """Write an encoder-only mask transformer, which splits an image into squares of ``side``."""
    from transformers import EomtConfig, EomtForUniversalSegmentation, EomtImageProcessor

    torch.manual_seed(0)
    config = EomtConfig(
        **labels(names),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=side,
        patch_size=8,
        num_blocks=1,
        num_upscale_blocks=1,
        num_queries=8,
        num_register_tokens=1,
    )
    model = lively(EomtForUniversalSegmentation(config).eval())
    model.save_pretrained(folder)
    processor = EomtImageProcessor(
        size={"shortest_edge": side, "longest_edge": None}, do_split_image=True, do_pad=False
    )
    processor.save_pretrained(folder)
    return folder


def sides(size: tuple[int, int]) -> dict[str, int]:
    return {"height": size[0], "width": size[1]}


def lively(model: torch.nn.Module) -> torch.nn.Module:
    """Make first weights large enough that label maps are not of one class."""
    with torch.no_grad():
        for value in model.parameters():
            if value.ndim > 1:
                value.normal_(0, value[0].numel() ** -0.5)
    return model
