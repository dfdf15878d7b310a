"""The embedded Qwen2-VL: its processor, its sizes, and how a training step runs through it."""

from __future__ import annotations

import copy
import math
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.qwen2_vl.modeling_qwen2_vl import PatchEmbed

from vlmis_utils.protocol.classes import OBJECT_CLASSES
from vlmis_utils.training.nets.dense import DenseHead
from vlmis_utils.training.nets.pixels import MEAN, STD, principal_patches
from vlmis_utils.training.nets.qwen_turns import Packed
from vlmis_utils.training.nets.scenes import Scenes
from vlmis_utils.training.nets.tokenizer import CHAT_TEMPLATE, chat_tokenizer

__all__ = [
    "MERGE", "PATCH", "QwenTraining", "build_model", "build_processor", "name_what_is_seen",
    "patchify", "save_qwen",
]  # fmt: skip

PATCH, MERGE, TEMPORAL = 16, 2, 2
VISION_WIDTH, WIDTH, HEAD = 160, 160, 32
VISION_LAYERS, TEXT_LAYERS = 4, 4
# Standard deviation of the first weights: at these widths the library's 0.02 leaves attention flat.
SPREAD = 0.06


def build_processor(height: int = 256, width: int = 512) -> Any:
    """Return Qwen2-VL's processor for images resized to about ``height`` x ``width`` pixels."""
    from transformers import Qwen2VLImageProcessor, Qwen2VLProcessor, Qwen2VLVideoProcessor

    shape = {
        "patch_size": PATCH,
        "merge_size": MERGE,
        "temporal_patch_size": TEMPORAL,
        "size": {"shortest_edge": height * width, "longest_edge": height * width},
        "image_mean": list(MEAN),
        "image_std": list(STD),
    }
    return Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessor(**shape),
        tokenizer=chat_tokenizer(),
        video_processor=Qwen2VLVideoProcessor(**shape),
        chat_template=CHAT_TEMPLATE,
    )


def build_model(
    tokenizer: Any,
    widths: tuple[int, int] = (VISION_WIDTH, WIDTH),
    layers: tuple[int, int] = (VISION_LAYERS, TEXT_LAYERS),
) -> Any:
    """Return an untrained `Qwen2VLForConditionalGeneration`, small, with its special tokens set."""
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    token = tokenizer.convert_tokens_to_ids
    seen, width = widths
    pairs = HEAD // 2
    text = {
        "vocab_size": 64 * math.ceil(len(tokenizer) / 64),
        "hidden_size": width,
        "intermediate_size": 16 * round(width * 8 / 3 / 16),
        "num_hidden_layers": layers[1],
        "num_attention_heads": width // HEAD,
        "num_key_value_heads": width // HEAD,
        "max_position_embeddings": 4096,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [pairs - 2 * (3 * pairs // 8), 3 * pairs // 8, 3 * pairs // 8],
        },
        "bos_token_id": token("<|endoftext|>"),
        "eos_token_id": token("<|im_end|>"),
        "pad_token_id": token("<|endoftext|>"),
        "tie_word_embeddings": True,
        "initializer_range": SPREAD,
    }
    vision = {
        "depth": layers[0],
        "embed_dim": seen,
        "hidden_size": width,
        "num_heads": seen // HEAD,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": TEMPORAL,
        "initializer_range": SPREAD,
    }
    model = Qwen2VLForConditionalGeneration(
        Qwen2VLConfig(
            text_config=text,
            vision_config=vision,
            image_token_id=token("<|image_pad|>"),
            video_token_id=token("<|video_pad|>"),
            vision_start_token_id=token("<|vision_start|>"),
            vision_end_token_id=token("<|vision_end|>"),
            tie_word_embeddings=True,
        )
    )
    for key in ("bos_token_id", "eos_token_id", "pad_token_id"):
        setattr(model.generation_config, key, text[key])
    return model


def patchify(images: Tensor) -> Tensor:
    """Return the patches of normalised images as Qwen2-VL's image processor orders them.

    Args:
        images: float32 (B, 3, H, W).

    Returns:
        (B H W / 256, 3 * 2 * 256): merged blocks row by row, the patches of a block together, each
        patch repeated over the two frames of the temporal axis.
    """
    count, channels, height, width = images.shape
    rows, columns = height // (PATCH * MERGE), width // (PATCH * MERGE)
    tiles = images.reshape(count, channels, rows, MERGE, PATCH, columns, MERGE, PATCH)
    tiles = tiles.permute(0, 2, 5, 3, 6, 1, 4, 7).unsqueeze(6)
    tiles = tiles.expand(-1, -1, -1, -1, -1, -1, TEMPORAL, -1, -1)
    return tiles.reshape(count * rows * columns * MERGE**2, -1)


class _LinearPatches(PatchEmbed):
    """The same patch embedding as one matrix product: a quarter of a training step on a CPU."""

    def forward(self, hidden_states: Tensor) -> Tensor:
        return functional.linear(hidden_states, self.proj.weight.flatten(1))


class QwenTraining(nn.Module):
    """The model with a dense head on its merged vision tokens."""

    def __init__(
        self,
        data: Scenes | None = None,
        widths: tuple[int, int] = (VISION_WIDTH, WIDTH),
        layers: tuple[int, int] = (VISION_LAYERS, TEXT_LAYERS),
    ) -> None:
        super().__init__()
        self.processor = build_processor(*data.data.labels.shape[1:]) if data else build_processor()
        self.tokenizer = self.processor.tokenizer
        self.model = build_model(self.tokenizer, widths, layers)
        self.model.model.visual.patch_embed.__class__ = _LinearPatches
        self.head = DenseHead(widths[1], side=MERGE)
        if data is not None:
            first = principal_patches(data.data.images, PATCH, widths[0])[:, :, None] / TEMPORAL
            embed = self.model.model.visual.patch_embed.proj.weight
            embed.data.copy_(first.expand(-1, -1, TEMPORAL, -1, -1))

    def begin_with(self, folder: str | Path) -> None:
        """Take the weights of an earlier checkpoint; the dense head is none of them."""
        from transformers import Qwen2VLForConditionalGeneration

        earlier = Qwen2VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
        self.model.load_state_dict(earlier.state_dict())

    def see(self, images: Tensor) -> Tensor:
        """Map normalised images (B, 3, H, W) to merged vision tokens (B, h, w, width)."""
        count, _, height, width = images.shape
        grid = torch.tensor([[1, height // PATCH, width // PATCH]] * count, device=images.device)
        out = self.model.model.visual(patchify(images), grid_thw=grid).pooler_output
        return out.view(count, height // PATCH // MERGE, width // PATCH // MERGE, -1)

    def speak(self, tokens: Tensor, packed: Packed, image: tuple[int, int]) -> Tensor:
        """Return the language model's last hidden states (B, L, width) of packed turns."""
        language = self.model.model.language_model
        embeds = language.embed_tokens(packed.ids)
        seen = tokens.flatten(1, 2).to(embeds.dtype)
        embeds = torch.cat([embeds[:, : image[0]], seen, embeds[:, image[1] :]], 1)
        out = language(
            inputs_embeds=embeds,
            attention_mask={"full_attention": packed.mask},
            position_ids=packed.positions,
            use_cache=False,
        )
        return out.last_hidden_state

    def language_loss(self, tokens: Tensor, packed: Packed, image: tuple[int, int]) -> Tensor:
        """Return the weighted cross entropy of the answers."""
        hidden = self.speak(tokens, packed, image)
        taken = packed.labels >= 0
        logits = self.model.lm_head(hidden[taken]).float()
        loss = functional.cross_entropy(logits, packed.labels[taken], reduction="none")
        weights = packed.weights[taken]
        return (loss * weights).sum() / weights.sum()


@torch.no_grad()
def name_what_is_seen(model: QwenTraining) -> None:
    """Hand the language model what the dense head learned, before its first step.

    The word of each object class points where the head found the class among the vision tokens, and
    the keys of attention start equal to its queries: so a word attends to what it names (after the
    mimetic initialisation of Trockman and Kolter 2023).
    """
    seen = model.head.scene.weight * model.head.norm.weight
    words = model.model.model.language_model.embed_tokens.weight
    for name, direction in zip(OBJECT_CLASSES, seen, strict=False):
        word = words[model.tokenizer(f" {name}").input_ids[-1]]
        word.copy_(direction / direction.norm() * word.norm())
    for layer in model.model.model.language_model.layers:
        layer.self_attn.k_proj.load_state_dict(layer.self_attn.q_proj.state_dict())


def save_qwen(model: QwenTraining, folder: str | Path) -> None:
    """Write model (float16 safetensors), processor and chat template with `save_pretrained`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    half = copy.deepcopy(model.model).half()
    half.save_pretrained(folder, safe_serialization=True)
    model.processor.save_pretrained(folder)
    for path in folder.glob("*.safetensors"):
        os.chmod(path, 0o644)
