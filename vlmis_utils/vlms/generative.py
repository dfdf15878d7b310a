"""Generative VLMs (Qwen2-VL and other chat models) through transformers: greedy text answers.

Any image-text-to-text model of transformers will do. A prompt is one user turn of an image and the
prompt's words, in the model's own chat template; decoding is greedy, so an answer is a function of
image, prompt and weights. Where the model allows it (`vlmis_utils.vlms.prefix`) an image is read
once for all prompts; elsewhere each prompt reads it all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from vlmis_utils.catalogue import checkpoint_path
from vlmis_utils.errors import RunError, UserError
from vlmis_utils.prompts import Prompt
from vlmis_utils.vlms import Answer
from vlmis_utils.vlms.chats import PLAIN, chat, decode_greedily, limit_pixels, whole
from vlmis_utils.vlms.first_step import FirstStep, spellings
from vlmis_utils.vlms.generative_source import checked, locate, why_broken
from vlmis_utils.vlms.prefix import continued, read, shares

if TYPE_CHECKING:
    from vlmis_utils.catalogue import ModelEntry

__all__ = ["DESCRIBE_TOKENS", "SHORT_TOKENS", "Generative", "load_generative"]

# Most new tokens of an answer; an answer ends earlier at the model's end of turn. The options
# ``describe_tokens`` and ``short_tokens`` of a catalogue entry replace them.
DESCRIBE_TOKENS = 96
SHORT_TOKENS = 32

# Rows (image x prompt) decoded together: bounds the memory of the key-value cache.
_ROWS = 128


class Generative:
    """A generative model on a device, an implementation of `vlmis_utils.vlms.Vlm`.

    Attributes:
        digest: 16 hex digits of the SHA-256 of weights, configuration, tokenizer and token limits.
        device: where it runs.
        share_images: whether an image is read once for all prompts.
        commit: of the hub repository that it came from, None for a folder.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        digest: str,
        device: str = "cpu",
        describe_tokens: int = DESCRIBE_TOKENS,
        short_tokens: int = SHORT_TOKENS,
        question: str = PLAIN,
        commit: str | None = None,
    ) -> None:
        self.device, self.commit = device, commit
        limits = repr((digest, describe_tokens, short_tokens)).encode()
        self.digest = hashlib.sha256(limits).hexdigest()[:16]
        self._model = model.eval().requires_grad_(False).to(device)
        decode_greedily(self._model)
        self._processor = processor
        self._processor.tokenizer.padding_side = "left"
        if processor.tokenizer.pad_token is None:
            processor.tokenizer.pad_token = processor.tokenizer.eos_token
        self._words = {word: spellings(processor.tokenizer, word) for word in ("yes", "no")}
        self._describe_tokens, self._short_tokens = describe_tokens, short_tokens
        self._question = question
        configs = (model.config, model.config.get_text_config())
        self._echoes = not any(getattr(c, "is_encoder_decoder", False) for c in configs)
        self.share_images = shares(model)

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
            RunError: one image and one prompt do not fit in memory.
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

    def visual_tokens(self, height: int, width: int) -> int | None:
        """Return how many tokens of the language model an image of that size becomes.

        None for a family whose configuration does not name its image token.
        """
        blank = torch.full((1, 3, height, width), 128, dtype=torch.uint8)
        ids = self._inputs([self._chat("?")], blank)["input_ids"]
        config = self._model.config
        names = ("image_token_id", "image_token_index")
        token = next((getattr(config, n) for n in names if getattr(config, n, None)), None)
        return None if token is None else int((ids == token).sum())

    def _halving(self, images: Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        """Answer; where memory does not do, half the images, then half the prompts, at a time."""
        try:
            return self._answer(images, prompts)
        except torch.OutOfMemoryError as error:
            if len(images) == 1 and len(prompts) == 1:
                raise RunError(
                    "one image does not fit in the device's memory: set device: cpu, or give the "
                    "model fewer pixels by the options of its entry in the model catalogue"
                ) from error
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
        if len(images) > 1:
            half = (len(images) + 1) // 2
            return self._halving(images[:half], prompts) + self._halving(images[half:], prompts)
        half = (len(prompts) + 1) // 2
        (first,), (rest,) = (self._halving(images, p) for p in (prompts[:half], prompts[half:]))
        return [first + rest]

    def _answer(self, images: Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        answers: list[list[Answer]] = [[Answer()] * len(prompts) for _ in images]
        seen = None
        if self.share_images and prompts:
            rows = [self._inputs([self._chat(prompt.text)], images[:1]) for prompt in prompts]
            seen = read(self._model, self._processor, rows, images)
        kinds = [
            (prompt.name.partition("/")[0], seen.lengths[i] if seen else 0)
            for i, prompt in enumerate(prompts)
        ]
        for kind in dict.fromkeys(kinds):
            group = [i for i, own in enumerate(kinds) if own == kind]
            limit = self._describe_tokens if kind[0] == "describe" else self._short_tokens
            chats = [self._chat(prompts[i].text) for i in group]
            inputs = continued(self._model, seen, group) if seen else self._inputs(chats, images)
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
        new = out[:, inputs["input_ids"].shape[1] :] if self._echoes else out
        texts = self._processor.batch_decode(new, skip_special_tokens=True)
        if not closed:
            return [Answer(text=text) for text in texts]
        yes, no = (first.probability(self._words[word]) for word in ("yes", "no"))
        return [Answer(text, p_yes=y, p_no=n) for text, y, n in zip(texts, yes, no, strict=True)]

    def _inputs(self, chats: list[str], images: Tensor) -> Any:
        """Return the model's inputs for each image and each chat, padded on the left."""
        repeated = [[image] for image in images.cpu() for _ in chats]  # a list for each chat
        inputs = self._processor(
            text=chats * len(images), images=repeated, padding=True, return_tensors="pt"
        )
        return inputs.to(self.device, dtype=self._model.dtype)

    def _chat(self, text: str) -> str:
        return chat(self._processor, text, self._question)


def load_generative(entry: ModelEntry, device: str = "cpu") -> Generative:
    """Load a transformers image-text-to-text model with its own processor and chat template.

    ``entry.checkpoint`` is a folder of `save_pretrained` or a hub id (``entry.revision`` pins it).
    Options: ``describe_tokens`` and ``short_tokens``, most new tokens of an answer; the image size,
    see `vlmis_utils.vlms.chats.limit_pixels`; ``question``, the form of a prompt for a model
    without a chat template; ``dtype`` (float32, bfloat16, float16), by default float32 on a CPU and
    bfloat16 on a GPU, or float16 on one that is too old for it.

    Raises:
        UserError: no such checkpoint, damaged files, or an unknown option; the message names them
            and the remedy.
    """
    kind, question = checked(entry, device)
    folder, digest = locate(entry)
    from transformers import AutoModelForImageTextToText, AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(folder, trust_remote_code=False)
        model = AutoModelForImageTextToText.from_pretrained(
            folder, dtype=kind, use_safetensors=True, trust_remote_code=False
        )
    except Exception as error:
        raise UserError(why_broken(entry, folder, error)) from error
    limit_pixels(processor, entry)
    precision = "" if kind == torch.float32 else str(kind)
    return Generative(
        model,
        processor,
        digest + repr(entry.options) + precision,
        device,
        describe_tokens=whole(entry, "describe_tokens", DESCRIBE_TOKENS),
        short_tokens=whole(entry, "short_tokens", SHORT_TOKENS),
        question=question,
        commit=None if checkpoint_path(entry) else folder.name,
    )
