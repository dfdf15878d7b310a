"""Generative VLMs (Qwen2-VL and other chat models) through transformers: greedy text answers.

Any image-text-to-text model of transformers will do. A prompt is one user turn of an image and the
prompt's words, in the model's own chat template; decoding is greedy, so an answer is a function of
image, prompt and weights. Where the model allows it an image is read once for all prompts
(`models.vlm.prefix_cache`), which are then answered side by side (`models.vlm.packed_decoding`);
elsewhere each prompt reads it all, and the run says so.

In half precision an answer also depends a little on what is computed together. There a fixed number
of images is answered at a time, whatever a batch holds, and the number is part of the digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from vlmis_utils.core.progress import say
from vlmis_utils.models.batching import answer_in_parts, check_images
from vlmis_utils.models.vlm.chat_template import chat, decode_greedily, processed
from vlmis_utils.models.vlm.decoded import to_answers
from vlmis_utils.models.vlm.first_token import generate, spellings
from vlmis_utils.models.vlm.generative_options import Settings
from vlmis_utils.models.vlm.packed_decoding import Rules, decode
from vlmis_utils.models.vlm.prefix_cache import (
    Layout,
    Layouts,
    Read,
    image_token,
    read,
    why_not_shared,
)  # fmt: skip
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.prompts import Prompt

__all__ = ["Generative"]

# Rows (image x prompt) decoded together in float32: bounds the memory of the key-value cache.
_ROWS = 128

_DEFAULTS = Settings()


class Generative:
    """A generative model on a device, an implementation of `models.vlm.loading.Vlm`.

    Attributes:
        digest: 16 hex digits of the SHA-256 of weights, configuration, tokenizer and token limits;
            in half precision also of what is computed together.
        device: where it runs.
        share_images: whether an image is read once for all prompts.
        why_not_shared: why it is not, in a few words; None where it is.
        commit: of the hub repository that it came from, None for a folder.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        digest: str,
        device: str = "cpu",
        settings: Settings = _DEFAULTS,
        commit: str | None = None,
        name: str = "model",
    ) -> None:
        self.device, self.commit = device, commit
        self.why_not_shared = why_not_shared(model)
        self.share_images = self.why_not_shared is None
        self._together = None if settings.precision == torch.float32 else settings.images_together
        facts: list[object] = [digest, settings.describe_tokens, settings.short_tokens]
        if self._together:
            facts += [self._together, "packed" if self.share_images else "padded"]
        self.digest = hashlib.sha256(repr(tuple(facts)).encode()).hexdigest()[:16]
        self._settings = settings
        self._name, self._said = name, set[str]()
        self._model = model.eval().requires_grad_(False).to(device)
        decode_greedily(self._model)
        self._processor = processor
        self._processor.tokenizer.padding_side = "left"
        if processor.tokenizer.pad_token is None:
            processor.tokenizer.pad_token = processor.tokenizer.eos_token
        self._words = {word: spellings(processor.tokenizer, word) for word in ("yes", "no")}
        ends = model.generation_config.eos_token_id
        self._ends = frozenset(ends if isinstance(ends, list) else [ends])
        self._layouts = Layouts(model, self._inputs)

    @torch.inference_mode()
    def answer(self, images: Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        """Answer each prompt about each image.

        Args:
            images: uint8 (B, 3, H, W), RGB, on any device.
            prompts: of `protocol.prompts.PROMPTS`.

        Returns:
            B lists of len(prompts) answers with the text as decoded, special tokens left out.

        Raises:
            UserError: images of another shape or type.
            RunError: one image and one prompt do not fit in memory.
        """
        check_images(images)
        step = self._together or max(1, _ROWS // max(1, len(prompts)))
        answers: list[list[Answer]] = []
        for some in images.split(step) if len(images) else ():
            missing = self._together - len(some) if self._together else 0
            filled = torch.cat([some, some[-1:].expand(missing, -1, -1, -1)])
            answered = answer_in_parts(self._answer, filled, prompts, self._halved)
            answers += answered[: len(some)]
        return answers

    @torch.inference_mode()
    def answer_together(self, frames: Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        """Answer each prompt about several images at once, put before its words in their order.

        Args:
            frames: uint8 (B, K, 3, H, W), RGB, for families that take K images in one turn.
            prompts: of `protocol.prompts.PROMPTS`.

        Returns:
            B lists of len(prompts) answers; with K = 1 those of `answer`.

        Raises:
            UserError: images of another shape or type.
        """
        check_images(frames.flatten(0, 1))
        chats = [self._chat(prompt.text, frames.shape[1]) for prompt in prompts]
        return self._each_read(frames, chats, prompts)

    def visual_tokens(self, height: int, width: int) -> int | None:
        """Return how many tokens of the language model an image of that size becomes.

        None for a family whose configuration does not name its image token.
        """
        token = image_token(self._model)
        blank = torch.full((1, 3, height, width), 128, dtype=torch.uint8)
        ids = self._inputs([self._chat("?")], blank)["input_ids"]
        return None if token is None else int((ids == token).sum())

    def _answer(self, images: Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        chats = [self._chat(prompt.text) for prompt in prompts]
        if self.share_images and prompts:
            layout = self._layouts.find(images, chats)
            seen = read(self._model, self._inputs(chats[:1], images), layout) if layout else None
            if layout and seen:
                return self._packed(seen, layout, prompts)
            self.why_not_shared = "its chat template does not put the image first"
        if self.why_not_shared:
            self._say(f"reads each image again for every prompt: {self.why_not_shared}")
        return self._each_read(images, chats, prompts)

    def _each_read(
        self, images: Tensor, chats: Sequence[str], prompts: Sequence[Prompt]
    ) -> list[list[Answer]]:
        """Answer each chat on its own, whatever it begins with."""
        answers: list[list[Answer]] = [[Answer()] * len(prompts) for _ in images]
        kinds = [_kind(prompt) for prompt in prompts]
        for kind in dict.fromkeys(kinds):  # apart, so that short answers do not wait for long ones
            group = [i for i, own in enumerate(kinds) if own == kind]
            decoded = iter(self._generate(self._inputs([chats[i] for i in group], images), kind))
            for row in answers:
                for i in group:
                    row[i] = next(decoded)
        return answers

    def _decisive(self, kind: str) -> frozenset[int]:
        """Return the tokens that are a whole answer where they come first."""
        if self._settings.stop == "end" or kind != "presence":
            return frozenset()
        return frozenset(self._words["yes"] + self._words["no"])

    def _packed(self, seen: Read, layout: Layout, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        """Answer all prompts at once, going on from what was read."""
        kinds = [_kind(prompt) for prompt in prompts]
        rules = Rules(
            self._ends,
            limits=[self._settings.limit(kind) for kind in kinds],
            decisive=[self._decisive(kind) for kind in kinds],
            steady=self._together is not None,
        )
        decoded = decode(self._model, seen, layout, rules)
        before = [seen.length + len(tail) for tail in layout.tails]
        answers = [
            self._worded(tokens, first, kinds, before)
            for tokens, first in zip(decoded.tokens, decoded.first, strict=True)
        ]
        if seen.embeddings is None:
            return answers
        return [
            [
                replace(answer, embedding=tuple(vector)) if kind == "describe" else answer
                for kind, answer in zip(kinds, row, strict=True)
            ]
            for vector, row in zip(seen.embeddings.tolist(), answers, strict=True)
        ]

    def _generate(self, inputs: Any, kind: str) -> list[Answer]:
        """Return the answers to prompts of one kind, one for each row of the inputs."""
        limit, decisive = self._settings.limit(kind), self._decisive(kind)
        tokens, first = generate(self._model, inputs, limit, decisive)
        before = inputs["attention_mask"].sum(dim=1).tolist()
        return self._worded(tokens, first, [kind] * len(tokens), before)

    def _worded(
        self,
        tokens: Sequence[Sequence[int]],
        first: Tensor,
        kinds: Sequence[str],
        before: Sequence[int],
    ) -> list[Answer]:
        """Return answers, given their tokens, how they begin, and how many tokens were read."""
        texts = self._processor.batch_decode(tokens, skip_special_tokens=True)
        decisive = [self._decisive(kind) for kind in kinds]
        closed = [kind != "describe" for kind in kinds]
        return to_answers(texts, tokens, first, self._words, self._ends, decisive, closed, before)

    def _halved(self) -> None:
        if self._together:
            self._say(
                f"{self._together} images do not fit in memory together, and fewer are rounded "
                "otherwise: set images_together in the model catalogue to have that recorded"
            )

    def _say(self, text: str) -> None:
        """Print a line about this model, once."""
        if text not in self._said:
            self._said.add(text)
            say(f"{self._name}: {text}")

    def _inputs(self, chats: list[str], images: Tensor) -> Any:
        """Return the model's inputs for each image, or stack of images, and each chat."""
        inputs = processed(self._processor, chats, images)
        return inputs.to(self.device, dtype=self._model.dtype)

    def _chat(self, text: str, images: int = 1) -> str:
        return chat(self._processor, text, self._settings.question, images)


def _kind(prompt: Prompt) -> str:
    return prompt.name.partition("/")[0]
