"""Generative VLMs (Qwen2-VL and other chat models) through transformers: greedy text answers.

Any image-text-to-text model with a chat template will do. A prompt is one user turn of an image and
the prompt's words; decoding is greedy, so an answer is a function of image, prompt and weights.
Where the model takes pre-encoded images (``mm_encoder_outputs``), what all prompts begin with, the
image above all, is read once, and each prompt goes on from there; elsewhere each reads it all.
"""

from __future__ import annotations

import copy
import hashlib
import inspect
import os
from collections.abc import Sequence
from dataclasses import dataclass
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
from vlmis_utils.vlms.first_step import FirstStep, spellings

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


@dataclass(frozen=True, eq=False)
class _Read:
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


class Generative:
    """A generative model on a device, an implementation of `vlmis_utils.vlms.Vlm`.

    Attributes:
        digest: 16 hex digits of the SHA-256 of weights, configuration, tokenizer and token limits.
        device: where it runs; float32 on a CPU, the checkpoint's own type on CUDA.
        share_images: whether an image is read once for all prompts.
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
        self._words = {word: spellings(processor.tokenizer, word) for word in ("yes", "no")}
        self._describe_tokens, self._short_tokens = describe_tokens, short_tokens
        accepted = inspect.signature(model.forward).parameters
        family = getattr(model.config, "model_type", "")
        self.share_images = family in _SHARING and "mm_encoder_outputs" in accepted

    @torch.inference_mode()
    def answer(self, images: Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        """Answer each prompt about each image.

        Each kind of prompt is decoded apart, so that short answers do not wait for long ones.

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
        answers: list[list[Answer]] = [[Answer()] * len(prompts) for _ in images]
        read = self._read(images, prompts) if self.share_images and prompts else None
        kinds = [
            (prompt.name.partition("/")[0], read.lengths[i] if read else 0)
            for i, prompt in enumerate(prompts)
        ]
        for kind in dict.fromkeys(kinds):
            group = [i for i, own in enumerate(kinds) if own == kind]
            limit = self._describe_tokens if kind[0] == "describe" else self._short_tokens
            chats = [self._chat(prompts[i].text) for i in group]
            inputs = self._inputs(chats, images) if read is None else self._continued(read, group)
            decoded = iter(self._generate(inputs, limit, closed=kind[0] != "describe"))
            for row in answers:
                for i in group:
                    row[i] = next(decoded)
        return answers

    def _generate(self, inputs: Any, limit: int, closed: bool) -> list[Answer]:
        """Return the answers, one for each row of the inputs; how closed ones begin, too."""
        first = FirstStep()
        out = self._model.generate(
            **inputs,
            max_new_tokens=limit,
            do_sample=False,
            num_beams=1,
            use_cache=True,
            logits_processor=[first] if closed else [],
        )
        new = out[:, inputs["input_ids"].shape[1] :]
        texts = self._processor.batch_decode(new, skip_special_tokens=True)
        if not closed:
            return [Answer(text=text) for text in texts]
        yes, no = (first.probability(self._words[word]) for word in ("yes", "no"))
        return [Answer(text, p_yes=y, p_no=n) for text, y, n in zip(texts, yes, no, strict=True)]

    def _inputs(self, chats: list[str], images: Tensor) -> Any:
        """Return the model's inputs for each image and each chat, padded on the left."""
        repeated = [image for image in images.cpu() for _ in chats]
        inputs = self._processor(
            text=chats * len(images), images=repeated, padding=True, return_tensors="pt"
        )
        return inputs.to(self.device)

    def _read(self, images: Tensor, prompts: Sequence[Prompt]) -> _Read | None:
        """Read what all prompts begin with, image included, once for each image.

        Images of one batch have one size, so their chats hold the same tokens. None where a chat
        template puts the image after the question: then nothing worth sharing comes first.
        """
        count = len(images)
        rows = [self._inputs([self._chat(prompt.text)], images[:1]) for prompt in prompts]
        tokens = [row["input_ids"][0].tolist() for row in rows]
        shared = len(os.path.commonprefix(tokens))
        shared = min(shared, min(map(len, tokens)) - 1)  # something must be left to ask
        if rows[0]["mm_token_type_ids"][:, shared:].any():
            return None
        kinds = rows[0]["mm_token_type_ids"][:, :shared]
        pixels = self._processor.image_processor(images=list(images.cpu()), return_tensors="pt")
        pixels = pixels.to(self.device)
        seen = self._model.get_image_features(**pixels, return_dict=True)
        out = self._model(
            input_ids=rows[0]["input_ids"][:, :shared].repeat(count, 1),
            attention_mask=rows[0]["attention_mask"][:, :shared].repeat(count, 1),
            mm_token_type_ids=kinds.repeat(count, 1),
            image_grid_thw=pixels["image_grid_thw"],
            mm_encoder_outputs={"image": seen},
            use_cache=True,
            logits_to_keep=1,
        )
        return _Read(tokens, count, out.past_key_values, self._model.model.rope_deltas)

    def _continued(self, read: _Read, group: list[int]) -> dict[str, Any]:
        """Return inputs that go on from what was read, images outermost, no row padded."""
        ids = torch.tensor([read.tokens[i] for i in group] * read.count, device=self.device)
        cache = copy.deepcopy(read.cache)
        cache.batch_repeat_interleave(len(group))
        # The model keeps how far its positions lag behind the count of tokens: for each row.
        self._model.model.rope_deltas = read.deltas.repeat_interleave(len(group), dim=0)
        return {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            "past_key_values": cache,
        }

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
