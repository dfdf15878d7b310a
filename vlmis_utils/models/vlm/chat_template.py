"""What differs from one family of generative models to the next, kept out of the asking.

How a question is put (the model's own chat template, or plain words for a model that has none), how
many pixels the model is given (its visual token budget), and plain greedy decoding whatever the
checkpoint would rather do. And how its processor is given images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmis_utils.core.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from vlmis_utils.protocol.models import ModelEntry

__all__ = ["PLAIN", "chat", "decode_greedily", "limit_pixels", "processed"]

# A question to a model without a chat template; the option ``question`` replaces it.
PLAIN = "{prompt}"

# An option of the image size, and what an image processor that knows it has.
_SIZES = {
    "min_pixels": "merge_size",
    "max_pixels": "merge_size",
    "longest_edge": "do_image_splitting",
    "image_splitting": "do_image_splitting",
    "whole_image": "crop_size",
}

# Of a checkpoint's generation settings only these are kept.
_TOKENS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")


def chat(processor: Any, text: str, question: str = PLAIN, images: int = 1) -> str:
    """Return the words that put images and a text to a model, up to where it answers.

    Args:
        processor: of transformers; its chat template decides where the image stands.
        text: the prompt.
        question: the form for a model without a template, around ``{prompt}``. Its processor adds
            the image by itself, or the form holds the model's image token.
        images: before the text.
    """
    if not (processor.chat_template or getattr(processor.tokenizer, "chat_template", None)):
        return question.replace("{prompt}", text)
    content = [*[{"type": "image"}] * images, {"type": "text", "text": text}]
    return processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
    )


def processed(processor: Any, chats: list[str], images: Tensor) -> Any:
    """Return what a model takes for every image, or stack of images, and every chat, in this order.

    Images stay on their device where the processor works on tensors, and most do.

    Args:
        processor: of transformers.
        chats: of `chat`.
        images: uint8 (B, 3, H, W), or (B, K, 3, H, W) for K images before each chat.
    """
    from transformers.image_processing_backends import TorchvisionBackend

    if not isinstance(processor.image_processor, TorchvisionBackend):
        images = images.cpu()  # it works on PIL images or arrays
    stacks = images if images.ndim == 5 else images[:, None]
    repeated = [list(stack) for stack in stacks for _ in chats]  # a list for each chat
    return processor(text=chats * len(images), images=repeated, padding=True, return_tensors="pt")


def decode_greedily(model: Any) -> None:
    """Make a model answer with the likeliest token at each step, and nothing else.

    Public checkpoints come with settings of their own, such as a repetition penalty, which hold
    even where sampling is off. Only their special tokens are kept, those of a language model
    inside included.
    """
    from transformers import GenerationConfig

    for part in model.modules():
        own = getattr(part, "generation_config", None)
        if own is not None:
            kept = {key: getattr(own, key, None) for key in _TOKENS}
            part.generation_config = GenerationConfig(**kept, do_sample=False, num_beams=1)


def limit_pixels(processor: Any, entry: ModelEntry) -> None:
    """Set the size to which a model's image processor brings every image, from the entry's options.

    ``min_pixels`` and ``max_pixels`` for families that take images of any size (Qwen2-VL and its
    successors), ``longest_edge`` (pixels) and ``image_splitting`` (0 or 1) for those that cut an
    image into tiles (Idefics3, SmolVLM), ``whole_image`` (0 or 1) for those that cut off the sides
    of a wide one (LLaVA-1.5): 1 squashes it instead. Others have one size and take none of these.

    Raises:
        UserError: an option that this model's image processor does not know.
    """
    images = processor.image_processor
    for key, mark in _SIZES.items():
        value = entry.option(key)
        if value is None:
            continue
        if getattr(images, mark, None) is None:
            raise UserError(
                f"model {entry.name!r}: option {key} means nothing to {type(images).__name__}:"
                " remove it from the model catalogue"
            )
        if key == "image_splitting":
            images.do_image_splitting = bool(value)
        elif key == "whole_image":
            if value:
                images.size, images.do_center_crop = dict(images.crop_size), False
        else:
            edge = {"min_pixels": "shortest_edge", "max_pixels": "longest_edge"}.get(key, key)
            images.size = {**_plain(images.size), edge: value}


def _plain(size: Any) -> dict[str, int]:
    return {key: value for key, value in dict(size).items() if value is not None}
