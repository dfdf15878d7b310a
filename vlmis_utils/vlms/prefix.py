"""Reading an image once for all prompts, where a family of models allows it.

All prompts about an image begin alike, and the image is nearly all of it. Its keys and values are
computed once, and each prompt goes on from there. The answers are those of reading each chat whole.
"""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

__all__ = ["Read", "continued", "read", "shares"]

# Families whose image features are one tensor for each image, whatever the prompt.
_FAMILIES = ("qwen2_vl", "qwen2_5_vl")


@dataclass(frozen=True, eq=False)
class Read:
    """What all prompts about some images begin with, read by the model.

    Attributes:
        tokens: of each prompt's whole chat.
        count: images.
        cache: keys and values of the common beginning, a row for each image.
        deltas: multimodal rotary positions minus tokens, (count, 1).
    """

    tokens: list[list[int]]
    count: int
    cache: Any
    deltas: Tensor

    @property
    def lengths(self) -> list[int]:
        """Tokens of each prompt's chat."""
        return [len(row) for row in self.tokens]


def shares(model: Any) -> bool:
    """Whether a model can read an image once for all prompts."""
    family = getattr(model.config, "model_type", "")
    return (
        family in _FAMILIES and "mm_encoder_outputs" in inspect.signature(model.forward).parameters
    )


def read(model: Any, processor: Any, rows: Sequence[Any], images: Tensor) -> Read | None:
    """Read what all chats begin with, image included, once for each image.

    Images of one batch have one size, so their chats hold the same tokens. None where a chat
    template puts the image after the question: then nothing worth sharing comes first.

    Args:
        model, processor: of transformers, the model one that `shares`.
        rows: the processed inputs of each chat with the first image, on the model's device.
        images: uint8 (B, 3, H, W).
    """
    count, device = len(images), rows[0]["input_ids"].device
    tokens = [row["input_ids"][0].tolist() for row in rows]
    shared = len(os.path.commonprefix(tokens))
    shared = min(shared, min(map(len, tokens)) - 1)  # something must be left to ask
    if rows[0]["mm_token_type_ids"][:, shared:].any():
        return None
    kinds = rows[0]["mm_token_type_ids"][:, :shared]
    pixels = processor.image_processor(images=list(images.cpu()), return_tensors="pt")
    pixels = pixels.to(device)
    seen = model.get_image_features(**pixels, return_dict=True)
    out = model(
        input_ids=rows[0]["input_ids"][:, :shared].repeat(count, 1),
        attention_mask=rows[0]["attention_mask"][:, :shared].repeat(count, 1),
        mm_token_type_ids=kinds.repeat(count, 1),
        image_grid_thw=pixels["image_grid_thw"],
        mm_encoder_outputs={"image": seen},
        use_cache=True,
        logits_to_keep=1,
    )
    return Read(tokens, count, out.past_key_values, model.model.rope_deltas)


def continued(model: Any, read: Read, group: Sequence[int]) -> dict[str, Any]:
    """Return inputs that go on from what was read, images outermost, no row padded.

    Args:
        model: that has read it.
        read: of `read`.
        group: places of prompts whose chats have one length.
    """
    device = read.deltas.device
    ids = torch.tensor([read.tokens[i] for i in group] * read.count, device=device)
    cache = copy.deepcopy(read.cache)
    cache.batch_repeat_interleave(len(group))
    # The model keeps how far its positions lag behind the count of tokens: for each row.
    model.model.rope_deltas = read.deltas.repeat_interleave(len(group), dim=0)
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "past_key_values": cache,
    }
