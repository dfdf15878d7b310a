"""The embedded CLIP and SigLIP: their configurations, and open_clip's own folder format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional

from vlmis_utils.core.io import write_atomically
from vlmis_utils.protocol.classes import PRESENCE_CLASSES
from vlmis_utils.protocol.prompts import contrastive_pairs
from vlmis_utils.training.nets.pixels import MEAN, STD
from vlmis_utils.training.nets.tokenizer import sentence_tokenizer
from vlmis_utils.training.recipes.train_trunk import TRUNK

__all__ = [
    "CONFIGS", "SENTENCES", "ContrastiveTraining", "model_config", "save_open_clip", "tokenise",
]  # fmt: skip

_TEXT = {"context_length": 48, "width": 128, "heads": 4, "layers": 2, "hf_tokenizer_name": "own"}
# open_clip's ``model_cfg``, without the sizes of image and vocabulary. The towers are
# convolutional, as CLIP's first ones were (ResNets); they pool differently, so that they may fail
# differently.
_VISION = {
    "timm_model_name": TRUNK,
    "timm_model_pretrained": False,
    "timm_proj": "",
}
CONFIGS: dict[str, dict[str, Any]] = {
    "clip": {
        "embed_dim": 128,
        "vision_cfg": {**_VISION, "timm_pool": "avgmax"},
        "text_cfg": dict(_TEXT),
    },
    "siglip": {
        "embed_dim": 128,
        "init_logit_scale": 2.3,
        "init_logit_bias": -3.0,
        "custom_text": True,
        "vision_cfg": {**_VISION, "timm_pool": "max"},
        "text_cfg": {**_TEXT, "no_causal_mask": True, "pool_type": "last", "proj_bias": True},
    },
}
# Sentences of the zero-shot prompts: with each object class, without each presence class, safety.
_WITH = contrastive_pairs("describe")
_WITHOUT = {c: contrastive_pairs(f"presence/{c}")["no"] for c in PRESENCE_CLASSES}
_SAFETY = contrastive_pairs("safety")
SENTENCES: tuple[str, ...] = (
    *_WITH.values(), *_WITHOUT.values(), _SAFETY["safe"], _SAFETY["unsafe"],
)  # fmt: skip


class ContrastiveTraining(nn.Module):
    """An open_clip model with a trunk frozen but for its end, and the tokens of `SENTENCES`.

    Attributes:
        free: so many of the trunk's last blocks learn, and all that follows; None: all of it does.
    """

    free: int | None = 1

    def __init__(self, name: str, size: tuple[int, int] = (256, 512)) -> None:
        super().__init__()
        from open_clip.model import CLIP, CustomTextCLIP

        self.config = model_config(name, size)
        build = {k: v for k, v in self.config.items() if k != "custom_text"}
        self.model = (CustomTextCLIP if self.config.get("custom_text") else CLIP)(**build)
        for part in self._parts()[0]:
            part.requires_grad_(False)
        self.sentences: Tensor
        self.register_buffer("sentences", tokenise(list(SENTENCES)), persistent=False)

    def begin_with(self, folder: str | Path) -> None:
        """Take the weights of an earlier checkpoint of the same recipe."""
        path = Path(folder) / "open_clip_model.safetensors"
        self.model.load_state_dict(
            {k: v.float() for k, v in safetensors.torch.load_file(path).items()}
        )

    def _parts(self) -> tuple[list[nn.Module], list[nn.Module]]:
        """Return the trunk's layers in order, those that are frozen and those that learn."""
        trunk = self.model.visual.trunk
        first, last = [trunk.conv_stem, trunk.bn1], [trunk.conv_head, trunk.bn2]
        if self.free is None:
            return [], [*first, *trunk.blocks, *last]
        cut = len(trunk.blocks) - self.free
        return [*first, *trunk.blocks[:cut]], [*trunk.blocks[cut:], *last]

    def train(self, mode: bool = True) -> ContrastiveTraining:
        """Set the mode; a trunk with frozen layers keeps the statistics that it came with."""
        super().train(mode)
        if self.free is not None:
            self.model.visual.trunk.eval()
        return self

    @torch.no_grad()
    def cells(self, images: Tensor) -> Tensor:
        """Map normalised images (B, 3, H, W) to what the frozen layers make of them.

        Returns:
            (B, C, H/32, W/32), or the images where no layer is frozen.
        """
        images = images.contiguous(memory_format=torch.channels_last)
        for layer in self._parts()[0]:
            images = layer(images)
        return images

    def see(self, cells: Tensor) -> Tensor:
        """Map `cells` to unit vectors (B, E)."""
        visual = self.model.visual
        for layer in self._parts()[1]:
            cells = layer(cells)
        return functional.normalize(visual.head(visual.trunk.forward_head(cells)), dim=-1)

    def compare(self, seen: Tensor, tokens: Tensor) -> Tensor:
        """Return logits (B, T) of unit vectors (B, E) and texts (T, context)."""
        texts = self.model.encode_text(tokens, normalize=True)
        out = self.model.logit_scale.exp().clamp(max=100) * seen @ texts.T
        bias = getattr(self.model, "logit_bias", None)
        return out if bias is None else out + bias


def model_config(name: str, size: tuple[int, int] = (256, 512)) -> dict[str, Any]:
    """Return open_clip's ``model_cfg`` of a recipe, with the sizes of image and vocabulary."""
    config = json.loads(json.dumps(CONFIGS[name]))
    config["vision_cfg"]["image_size"] = list(size)
    config["text_cfg"]["vocab_size"] = len(sentence_tokenizer())
    return config


def tokenise(texts: list[str]) -> Tensor:
    """Return tokens int64 (T, context), padded with 0, as open_clip's HFTokenizer makes them."""
    return sentence_tokenizer()(
        texts,
        return_tensors="pt",
        max_length=_TEXT["context_length"],
        padding="max_length",
        truncation=True,
    ).input_ids


def save_open_clip(model: nn.Module, config: dict[str, Any], folder: str | Path) -> None:
    """Write ``open_clip_config.json``, float16 weights and the tokenizer, each file atomically.

    Args:
        model: open_clip's.
        config: its ``model_cfg``.
        folder: the checkpoint.
    """
    folder = Path(folder)
    config = {
        "model_cfg": config,
        "preprocess_cfg": {
            "mean": list(MEAN), "std": list(STD), "interpolation": "bicubic",
            "resize_mode": "squash",
        },
    }  # fmt: skip
    write_atomically(
        folder / "open_clip_config.json", (json.dumps(config, indent=2) + "\n").encode()
    )
    half = {k: v.detach().cpu().half().contiguous() for k, v in model.state_dict().items()}
    weights = folder / "open_clip_model.safetensors"
    write_atomically(weights, safetensors.torch.save(half, metadata={"format": "pt"}))
    sentence_tokenizer().save_pretrained(str(folder))
