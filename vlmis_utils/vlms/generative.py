"""Generative VLMs (Qwen2-VL and other chat models) through transformers: greedy text answers.

Any image-text-to-text model with a chat template will do. A prompt is one user turn of an image and
the prompt's words; decoding is greedy, so an answer is a function of image, prompt and weights.
Where the model takes pre-encoded images (``mm_encoder_outputs``), an image is encoded once for all
prompts; elsewhere it is encoded with each.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from vlmis_utils.catalogue import checkpoint_path
from vlmis_utils.errors import RunError, UserError
from vlmis_utils.prompts import Prompt
from vlmis_utils.segmenters import folder_digest
from vlmis_utils.vlms import Answer
from vlmis_utils.vlms.files import damaged_file

if TYPE_CHECKING:
    from vlmis_utils.catalogue import ModelEntry

__all__ = ["DESCRIBE_TOKENS", "Generative", "SHORT_TOKENS", "load_generative"]

# Most new tokens of an answer; an answer ends earlier at the model's end of turn. The options
# ``describe_tokens`` and ``short_tokens`` of a catalogue entry replace them.
DESCRIBE_TOKENS = 96
SHORT_TOKENS = 32

# Families whose image features are one tensor for each image, whatever the prompt.
_SHARING = ("qwen2_vl", "qwen2_5_vl")

# What a checkpoint needs of a hub repository; no remote code.
_FILES = ("*.json", "*.safetensors", "*.txt", "*.jinja")

# Rows (image x prompt) decoded together: bounds the memory of the key-value cache.
_ROWS = 128


class Generative:
    """A generative model on a device, an implementation of `vlmis_utils.vlms.Vlm`.

    Attributes:
        digest: 16 hex digits of the SHA-256 of weights, configuration, tokenizer and token limits.
        device: where it runs; float32 on a CPU, the checkpoint's own type on CUDA.
        share_images: whether an image is encoded once for all prompts.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        digest: str,
        device: str = "cpu",
        describe_tokens: int = DESCRIBE_TOKENS,
        short_tokens: int = SHORT_TOKENS,
    ) -> None:
        self.device = device
        limits = repr((digest, describe_tokens, short_tokens)).encode()
        self.digest = hashlib.sha256(limits).hexdigest()[:16]
        self._model = model.eval().requires_grad_(False).to(device)
        self._processor = processor
        self._processor.tokenizer.padding_side = "left"
        self._describe_tokens, self._short_tokens = describe_tokens, short_tokens
        accepted = inspect.signature(model.forward).parameters
        family = getattr(model.config, "model_type", "")
        self.share_images = family in _SHARING and "mm_encoder_outputs" in accepted

    @torch.inference_mode()
    def answer(self, images: Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        """Answer each prompt about each image.

        Long answers (``describe``) are decoded apart from short ones, so that these do not wait.

        Args:
            images: uint8 (B, 3, H, W), RGB, on any device.
            prompts: of `vlmis_utils.prompts.PROMPTS`.

        Returns:
            B lists of len(prompts) answers with the text as decoded, special tokens left out.

        Raises:
            UserError: images of another shape or type.
            RunError: one image alone does not fit in memory.
        """
        if images.ndim != 4 or images.shape[1] != 3 or images.dtype != torch.uint8:
            raise UserError(
                f"images must be uint8 (B, 3, H, W), not {images.dtype} {tuple(images.shape)}"
            )
        step = max(1, _ROWS // max(1, len(prompts)))
        answers: list[list[Answer]] = []
        for start in range(0, len(images), step):
            answers += self._halving(images[start : start + step], prompts)
        return answers

    def _halving(self, images: Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        try:
            return self._answer(images, prompts)
        except torch.OutOfMemoryError as error:
            if len(images) == 1:
                raise RunError(
                    "one image does not fit in the device's memory: set device: cpu, or limit the "
                    "image size in the checkpoint's preprocessor_config.json"
                ) from error
        torch.cuda.empty_cache()
        half = (len(images) + 1) // 2
        return self._halving(images[:half], prompts) + self._halving(images[half:], prompts)

    def _answer(self, images: Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        texts: list[list[str]] = [[""] * len(prompts) for _ in images]
        seen = self._encode(images) if self.share_images else None
        long = [i for i, p in enumerate(prompts) if p.name == "describe"]
        short = [i for i in range(len(prompts)) if i not in long]
        for group, limit in ((long, self._describe_tokens), (short, self._short_tokens)):
            if group:
                asked = [prompts[i].text for i in group]
                decoded = iter(self._generate(images, asked, limit, seen))
                for row in texts:
                    for i in group:
                        row[i] = next(decoded)
        return [[Answer(text=text) for text in row] for row in texts]

    def _encode(self, images: Tensor) -> Any:
        """Return the model's image features: ``pooler_output`` holds one tensor for each image."""
        inputs = self._processor.image_processor(images=list(images.cpu()), return_tensors="pt")
        return self._model.get_image_features(**inputs.to(self.device), return_dict=True)

    def _generate(self, images: Tensor, asked: list[str], limit: int, seen: Any) -> list[str]:
        """Return the decoded answers, images outermost."""
        chats = [self._chat(text) for text in asked]
        inputs = self._inputs(chats, images) if seen is None else self._shared(chats, images, seen)
        out = self._model.generate(
            **inputs, max_new_tokens=limit, do_sample=False, num_beams=1, use_cache=True
        )
        new = out[:, inputs["input_ids"].shape[1] :]
        return self._processor.batch_decode(new, skip_special_tokens=True)

    def _inputs(self, chats: list[str], images: Tensor) -> Any:
        """Return the model's inputs for each image and each chat, padded on the left."""
        repeated = [image for image in images.cpu() for _ in chats]
        inputs = self._processor(
            text=chats * len(images), images=repeated, padding=True, return_tensors="pt"
        )
        return inputs.to(self.device)

    def _shared(self, chats: list[str], images: Tensor, seen: Any) -> dict[str, Any]:
        """Return the same inputs with features for pixels.

        Images of one batch have one size, so their chats hold the same tokens.
        """
        one = self._inputs(chats, images[:1])
        inputs = {
            key: value.repeat(len(images), *[1] * (value.ndim - 1))
            for key, value in one.items()
            if key != "pixel_values"
        }
        features = [feature for feature in seen.pooler_output for _ in chats]
        encoded = type(seen)(last_hidden_state=seen.last_hidden_state, pooler_output=features)
        return {**inputs, "mm_encoder_outputs": {"image": encoded}}

    def _chat(self, text: str) -> str:
        content = [{"type": "image"}, {"type": "text", "text": text}]
        return self._processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
        )


def load_generative(entry: ModelEntry, device: str = "cpu") -> Generative:
    """Load a transformers image-text-to-text model with its own processor and chat template.

    ``entry.checkpoint`` is a folder of `save_pretrained` or a hub id (``entry.revision`` pins it).
    Options: ``describe_tokens`` and ``short_tokens``, most new tokens of an answer; ``min_pixels``
    and ``max_pixels``, the image size that the processor resizes to.

    Raises:
        UserError: no such checkpoint, or damaged files; the message names them and the remedy.
    """
    folder = _folder(entry)
    from transformers import AutoModelForImageTextToText, AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(folder)
        model = AutoModelForImageTextToText.from_pretrained(
            folder,
            dtype="auto" if device.startswith("cuda") else torch.float32,
            use_safetensors=True,
        )
    except Exception as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"model {entry.name!r}: {damaged_file(folder)} does not load ({first}): "
            "run `make weights`, or mend the checkpoint in the model catalogue"
        ) from error
    for edge, key in (("shortest_edge", "min_pixels"), ("longest_edge", "max_pixels")):
        if entry.option(key) is not None:
            size = dict(processor.image_processor.size)
            processor.image_processor.size = {**size, edge: _number(entry, key)}
    return Generative(
        model,
        processor,
        folder_digest(folder) + repr(entry.options),
        device,
        describe_tokens=_number(entry, "describe_tokens", DESCRIBE_TOKENS),
        short_tokens=_number(entry, "short_tokens", SHORT_TOKENS),
    )


def _number(entry: ModelEntry, key: str, default: int | None = None) -> int:
    value = entry.option(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UserError(
            f"model {entry.name!r}: option {key} must be a whole number above 0, not {value!r}"
        )
    return value


def _folder(entry: ModelEntry) -> Path:
    path = checkpoint_path(entry)
    if path is not None and (path / "config.json").exists():
        return path
    if path is not None or entry.checkpoint.count("/") != 1:
        raise UserError(
            f"model {entry.name!r}: no checkpoint with a config.json at {entry.checkpoint}: run "
            "`make weights`, or mend the path in the model catalogue"
        )
    from huggingface_hub import snapshot_download

    wanted = {"revision": entry.revision, "allow_patterns": list(_FILES)}
    try:
        return Path(snapshot_download(entry.checkpoint, **wanted))
    except Exception as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"model {entry.name!r}: checkpoint {entry.checkpoint} cannot be fetched ({first}): "
            "check the id, the revision and the network"
        ) from error
