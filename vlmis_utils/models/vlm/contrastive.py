"""Contrastive VLMs (CLIP, SigLIP) through open_clip: an image is compared with fixed sentences.

Zero-shot as in Radford et al. 2021: the score of a sentence is
``exp(logit_scale) * <image, text> + logit_bias`` with unit vectors, the logit that both the softmax
loss of CLIP and the sigmoid loss of SigLIP (Zhai et al. 2023) train. Scores are recorded raw; what
counts as a mention, a yes or a safe is decided by `metrics.parsing.parse`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import Normalize

from vlmis_utils.core.errors import UserError, one_line
from vlmis_utils.models.batching import check_images, in_parts
from vlmis_utils.models.checkpoints import damaged_file
from vlmis_utils.models.options import Options, read_options
from vlmis_utils.models.vlm.contrastive_checkpoint import locate
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.prompts import Prompt, contrastive_pairs

if TYPE_CHECKING:
    from vlmis_utils.protocol.models import ModelEntry

__all__ = ["Contrastive", "ContrastiveOptions", "load_contrastive"]


class ContrastiveOptions(Options):
    """Options of a contrastive model.

    Attributes:
        resize_mode: how an image comes to the model's size, in open_clip's words; None for the
            checkpoint's own.
    """

    resize_mode: Literal["squash", "longest", "shortest"] | None = None


_FULL = "one image does not fit in the device's memory: set device: cpu, or take a smaller model"


class Contrastive:
    """A contrastive model on a device, an implementation of `models.vlm.loading.Vlm`.

    Attributes:
        digest: 16 hex digits of the SHA-256 of weights, configuration and tokenizer.
        device: where it runs; float32 everywhere, so that scores do not depend on the machine.
        commit: of the hub repository that it came from, None for a folder.
    """

    def __init__(
        self,
        model: Any,
        preprocess: Callable[[Image.Image], Tensor],
        tokenize: Callable[[list[str]], Tensor],
        digest: str,
        device: str = "cpu",
        commit: str | None = None,
    ) -> None:
        self.digest, self.commit = digest, commit
        self.device = device
        model = model.to(device, memory_format=torch.channels_last)
        self._model = model.eval().requires_grad_(False)
        self._preprocess = preprocess
        self._size, self._normalize = (
            _own_size(model),
            getattr(preprocess, "transforms", [None])[-1],
        )
        self._tokenize = tokenize
        self._texts: dict[str, Tensor] = {}

    @torch.inference_mode()
    def answer(self, images: Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        """Score the sentences of each prompt for each image; the image is encoded once.

        Args:
            images: uint8 (B, 3, H, W), RGB, on any device.
            prompts: of `protocol.prompts.PROMPTS`.

        Returns:
            B lists of len(prompts) answers: the labels of `contrastive_pairs` and one logit each.

        Raises:
            UserError: an unknown prompt, or images of another shape or type.
            RunError: one image does not fit in memory.
        """
        check_images(images)
        pairs = [contrastive_pairs(prompt.name) for prompt in prompts]
        if not len(images):
            return []
        sentences = list(dict.fromkeys(text for pair in pairs for text in pair.values()))
        rows = in_parts(lambda some: self._rows(some, sentences), images, _FULL)
        column = {text: index for index, text in enumerate(sentences)}
        return [
            [
                Answer(
                    labels=tuple(pair),
                    scores=tuple(row[column[t]] for t in pair.values()),
                    embedding=tuple(seen) if prompt.name == "describe" else None,
                )
                for prompt, pair in zip(prompts, pairs, strict=True)
            ]
            for row, seen in rows
        ]

    def _rows(self, images: Tensor, sentences: Sequence[str]) -> list[tuple[list, list]]:
        """Return, for each image, its logits and its unit vector."""
        seen = self.embeddings(images)
        scored = self._scored(seen, sentences)
        return list(zip(scored.tolist(), seen.float().cpu().tolist(), strict=True))

    def visual_tokens(self, height: int, width: int) -> int | None:
        """Return into how many patches the image tower cuts an image, whatever its size.

        None for a tower without patches.
        """
        tower = self._model.visual
        if hasattr(tower, "grid_size"):
            return math.prod(tower.grid_size)
        patches = getattr(getattr(tower, "trunk", None), "patch_embed", None)
        return getattr(patches, "num_patches", None)

    @torch.inference_mode()
    def logits(self, images: Tensor, sentences: Sequence[str]) -> Tensor:
        """Return the logit of each sentence for each image, float32 (B, S), on the CPU.

        Args:
            images: uint8 (B, 3, H, W), RGB; preprocessed as the checkpoint says.
            sentences: S texts, each encoded once in the life of this object.
        """
        return self._scored(self.embeddings(images), sentences)

    @torch.inference_mode()
    def embeddings(self, images: Tensor) -> Tensor:
        """Return the unit vectors of images uint8 (B, 3, H, W): float32 (B, D), on the device."""
        batch = self.preprocessed(images).to(self.device, memory_format=torch.channels_last)
        return self._model.encode_image(batch, normalize=True)

    def preprocessed(self, images: Tensor) -> Tensor:
        """Return images uint8 (B, 3, H, W) as the image tower takes them, float32 (B, 3, h, w).

        Images of the tower's own size are normalised where they lie. Others go through the
        library's own resizing, which demands PIL, and so a CPU.
        """
        if tuple(images.shape[2:]) == self._size and isinstance(self._normalize, Normalize):
            return self._normalize(images.float() / 255)
        arrays = images.permute(0, 2, 3, 1).contiguous().cpu().numpy()
        return torch.stack([self._preprocess(Image.fromarray(array)) for array in arrays])

    def _scored(self, seen: Tensor, sentences: Sequence[str]) -> Tensor:
        out = self._model.logit_scale.exp() * seen @ self._sentence_vectors(sentences).T
        bias = getattr(self._model, "logit_bias", None)
        return (out if bias is None else out + bias).float().cpu()

    def _sentence_vectors(self, sentences: Sequence[str]) -> Tensor:
        missing = [text for text in dict.fromkeys(sentences) if text not in self._texts]
        if missing:
            tokens = self._tokenize(missing).to(self.device)
            vectors = self._model.encode_text(tokens, normalize=True)
            self._texts.update(zip(missing, vectors, strict=True))
        return torch.stack([self._texts[text] for text in sentences])


def _own_size(model: Any) -> tuple[int, int] | None:
    """Return the (height, width) of the images that a model's image tower takes, if it says so."""
    size = getattr(model.visual, "image_size", None)
    return (size, size) if isinstance(size, int) else tuple(size) if size else None


def load_contrastive(entry: ModelEntry, device: str = "cpu") -> Contrastive:
    """Load an open_clip model, with the library's own preprocessing and tokenizer.

    ``entry.checkpoint`` is a folder (``open_clip_config.json`` and safetensors weights; the prefix
    ``local-dir:`` is optional), ``hf-hub:<owner>/<name>``, or ``<architecture>/<tag>`` such as
    ``ViT-B-32/openai``; ``entry.revision`` pins what the hub serves. The option ``resize_mode``
    (squash, longest, shortest) replaces the checkpoint's own, which for most public checkpoints
    crops the sides of a wide image.

    Raises:
        UserError: no such folder, tag or hub entry, or damaged files; the message names them.
    """
    options = read_options(ContrastiveOptions, entry)
    source = locate(entry)
    import open_clip

    settings = dict(source.settings)
    if options.resize_mode:
        settings["image_resize_mode"] = options.resize_mode
    try:
        model, preprocess = open_clip.create_model_from_pretrained(
            source.name, pretrained=source.weights, precision="fp32", device="cpu", **settings
        )
        tokenize = source.tokenize()
    except Exception as error:
        first = one_line(error)
        raise UserError(
            f"model {entry.name!r}: {damaged_file(source.folder)} does not load ({first}): "
            "run `make weights`, or mend the checkpoint in the model catalogue"
        ) from error
    digest = hashlib.sha256(repr((source.digest, entry.options)).encode()).hexdigest()[:16]
    return Contrastive(model, preprocess, tokenize, digest, device, source.commit)
