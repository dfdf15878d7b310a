"""Reading an image once for all prompts, where a family of models allows it.

All prompts about an image begin alike, and the image is nearly all of it. Its keys and values are
computed once, and `models.vlm.packed_decoding` goes on from there with every prompt. The answers
are those of reading each chat whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

__all__ = [
    "FAMILIES",
    "Layout",
    "Layouts",
    "Read",
    "image_token",
    "lay_out",
    "read",
    "why_not_shared",
]

# Families whose language model is a decoder with rotary positions and full attention, in which
# every image token is an ordinary place: what comes before a question never depends on it.
FAMILIES: tuple[str, ...] = ("qwen2_vl", "qwen2_5_vl", "llava", "idefics3", "smolvlm")

# Sizes of images whose chats are kept as tokens.
_SIZES = 16

_IMAGE_TOKEN = ("image_token_id", "image_token_index")


@dataclass(frozen=True)
class Layout:
    """The tokens of several chats about one image, whatever the image shows.

    Attributes:
        head: what all chats begin with, image tokens included.
        tails: what each goes on with, at least one token.
    """

    head: tuple[int, ...]
    tails: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class Read:
    """What all chats about some images begin with, read by the model.

    Attributes:
        cache: keys and values, a row for each image.
        length: tokens read.
        deltas: multimodal rotary positions minus tokens, (count, 1); None for plain positions.
        embeddings: mean of each image's tokens as they enter the decoder, float32 (count, D) on the
            CPU; None of a family that does not name its image token.
    """

    cache: Any
    length: int
    deltas: Tensor | None
    embeddings: Tensor | None = None


def why_not_shared(model: Any) -> str | None:
    """Say why a model cannot read an image once for all prompts; None where it can."""
    family = getattr(model.config, "model_type", "")
    if family not in FAMILIES:
        return f"not known to hold for the family {family}"
    kinds = set(getattr(model.config.get_text_config(), "layer_types", None) or ["full_attention"])
    return None if kinds == {"full_attention"} else "its attention does not reach back to the image"


def lay_out(rows: Sequence[Sequence[int]], image: int | None) -> Layout | None:
    """Return how chats about one image share their beginning.

    None where a chat template puts the image after the question: then nothing worth sharing comes
    first.

    Args:
        rows: the tokens of each whole chat, as the model's processor makes them.
        image: the token whose places the image takes.

    >>> lay_out([[1, 9, 9, 2, 3], [1, 9, 9, 4]], image=9)
    Layout(head=(1, 9, 9), tails=((2, 3), (4,)))
    >>> lay_out([[2, 3, 9, 9], [4, 9, 9]], image=9) is None
    True
    """
    shared = len(os.path.commonprefix([list(row) for row in rows]))
    shared = min(shared, min(map(len, rows)) - 1)  # something must be left to ask
    tails = tuple(tuple(row[shared:]) for row in rows)
    if any(image in tail for tail in tails):
        return None
    return Layout(tuple(rows[0][:shared]), tails)


def image_token(model: Any) -> int | None:
    """Return the token whose places an image takes; None for a family that does not name it."""
    return next((t for n in _IMAGE_TOKEN if (t := getattr(model.config, n, None))), None)


class Layouts:
    """The layouts of a model's chats: made by its processor once for each size of image."""

    def __init__(self, model: Any, inputs: Callable[[list[str], Tensor], Any]) -> None:
        self._image, self._inputs = image_token(model), inputs
        self._known: dict[tuple[int | str, ...], Layout | None] = {}

    def find(self, images: Tensor, chats: list[str]) -> Layout | None:
        """Return the layout of chats about images (B, 3, H, W); None where nothing is shared."""
        key = (*images.shape[-2:], *chats)
        if key not in self._known:
            rows = [self._inputs([c], images[:1])["input_ids"][0].tolist() for c in chats]
            while len(self._known) >= _SIZES:
                self._known.pop(next(iter(self._known)))
            self._known[key] = lay_out(rows, self._image)
        return self._known[key]


def read(model: Any, inputs: Any, layout: Layout) -> Read | None:
    """Read what all chats begin with, image included, once for each image.

    Args:
        model: of transformers, one without a `why_not_shared`.
        inputs: of its processor for the images, each with the first chat; on the model's device.
        layout: of the chats.

    Returns:
        None where a chat does not begin as the layout says.
    """
    ids = inputs["input_ids"]
    length = len(layout.head)
    if (ids[:, :length] != ids.new_tensor(layout.head)).any():
        return None
    cut = {
        name: value[:, :length] if value.shape[:2] == ids.shape and value.ndim == 2 else value
        for name, value in inputs.items()
    }
    entered: list[Tensor] = []
    hook = model.get_decoder().register_forward_pre_hook(
        lambda _, __, given: entered.append(given.get("inputs_embeds")), with_kwargs=True
    )
    try:
        out = model(**cut, use_cache=True, logits_to_keep=1)
    finally:
        hook.remove()
    seen = _means(entered[0], cut["input_ids"] == image_token(model)) if entered else None
    return Read(out.past_key_values, length, getattr(model.model, "rope_deltas", None), seen)


def _means(entered: Tensor | None, inside: Tensor) -> Tensor | None:
    """Return the mean of the tokens (B, n, D) where ``inside`` (B, n) holds, (B, D)."""
    if entered is None or not inside.any(dim=1).all():
        return None
    weights = inside.float()[..., None]
    return ((entered.float() * weights).sum(dim=1) / weights.sum(dim=1)).cpu()
