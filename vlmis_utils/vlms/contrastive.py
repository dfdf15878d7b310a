"""Contrastive VLMs (CLIP, SigLIP) through open_clip: an image is compared with fixed sentences.

Zero-shot as in Radford et al. 2021: the score of a sentence is
``exp(logit_scale) * <image, text> + logit_bias`` with unit vectors, the logit that both the softmax
loss of CLIP and the sigmoid loss of SigLIP (Zhai et al. 2023) train. Scores are recorded raw; what
counts as a mention, a yes or a safe is decided by `vlmis_utils.answers`.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from vlmis_utils.catalogue import checkpoint_path
from vlmis_utils.errors import UserError
from vlmis_utils.prompts import Prompt, contrastive_pairs
from vlmis_utils.segmenters import folder_digest
from vlmis_utils.vlms import Answer
from vlmis_utils.vlms.files import damaged_file

if TYPE_CHECKING:
    from vlmis_utils.catalogue import ModelEntry

__all__ = ["Contrastive", "load_contrastive"]

_CONFIG = "open_clip_config.json"


class Contrastive:
    """A contrastive model on a device, an implementation of `vlmis_utils.vlms.Vlm`.

    Attributes:
        digest: 16 hex digits of the SHA-256 of weights, configuration and tokenizer.
        device: where it runs; float32 everywhere, so that scores do not depend on the machine.
    """

    def __init__(
        self,
        model: Any,
        preprocess: Callable[[Image.Image], Tensor],
        tokenize: Callable[[list[str]], Tensor],
        digest: str,
        device: str = "cpu",
    ) -> None:
        self.digest = digest
        self.device = device
        model = model.to(device, memory_format=torch.channels_last)
        self._model = model.eval().requires_grad_(False)
        self._preprocess = preprocess
        self._tokenize = tokenize
        self._texts: dict[str, Tensor] = {}

    @torch.inference_mode()
    def answer(self, images: Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        """Score the sentences of each prompt for each image; the image is encoded once.

        Args:
            images: uint8 (B, 3, H, W), RGB, on any device.
            prompts: of `vlmis_utils.prompts.PROMPTS`.

        Returns:
            B lists of len(prompts) answers: the labels of `contrastive_pairs` and one logit each.

        Raises:
            UserError: an unknown prompt, or images of another shape or type.
        """
        if images.ndim != 4 or images.shape[1] != 3 or images.dtype != torch.uint8:
            raise UserError(
                f"images must be uint8 (B, 3, H, W), not {images.dtype} {tuple(images.shape)}"
            )
        pairs = [contrastive_pairs(prompt.name) for prompt in prompts]
        if not len(images):
            return []
        sentences = list(dict.fromkeys(text for pair in pairs for text in pair.values()))
        rows = self.logits(images, sentences).tolist()
        column = {text: index for index, text in enumerate(sentences)}
        return [
            [
                Answer(labels=tuple(pair), scores=tuple(row[column[t]] for t in pair.values()))
                for pair in pairs
            ]
            for row in rows
        ]

    @torch.inference_mode()
    def logits(self, images: Tensor, sentences: Sequence[str]) -> Tensor:
        """Return the logit of each sentence for each image, float32 (B, S), on the CPU.

        Args:
            images: uint8 (B, 3, H, W), RGB; preprocessed as the checkpoint says.
            sentences: S texts, each encoded once in the life of this object.
        """
        arrays = images.permute(0, 2, 3, 1).contiguous().cpu().numpy()
        batch = torch.stack([self._preprocess(Image.fromarray(array)) for array in arrays])
        batch = batch.to(self.device, memory_format=torch.channels_last)
        seen = self._model.encode_image(batch, normalize=True)
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


def load_contrastive(entry: ModelEntry, device: str = "cpu") -> Contrastive:
    """Load an open_clip model, with the library's own preprocessing and tokenizer.

    ``entry.checkpoint`` is a folder (``open_clip_config.json`` and safetensors weights; the prefix
    ``local-dir:`` is optional), ``hf-hub:<owner>/<name>``, or ``<architecture>/<tag>`` such as
    ``ViT-B-32/openai``. The option ``resize_mode`` (squash, longest, shortest) replaces the
    checkpoint's own, which for most public checkpoints crops the sides of a wide image.

    Raises:
        UserError: no such folder, tag or hub entry, or damaged files; the message names them.
    """
    name, tag, folder = _source(entry)
    import open_clip

    if tag is not None and (name, tag) not in open_clip.list_pretrained():
        raise UserError(
            f"model {entry.name!r}: open_clip knows no checkpoint {entry.checkpoint}: take one of "
            "open_clip.list_pretrained() as architecture/tag"
        )
    try:
        model, preprocess = open_clip.create_model_from_pretrained(
            name,
            pretrained=tag,
            precision="fp32",
            device="cpu",
            image_resize_mode=entry.option("resize_mode"),
        )
        tokenizer = open_clip.get_tokenizer(name)
    except Exception as error:
        raise UserError(_broken(entry, folder, error)) from error
    weights = _weights_digest(model) if folder is None else folder_digest(folder)
    digest = hashlib.sha256(repr((weights, entry.options)).encode()).hexdigest()[:16]
    return Contrastive(model, preprocess, tokenizer, digest, device)


def _source(entry: ModelEntry) -> tuple[str, str | None, Path | None]:
    """Return open_clip's model name, its tag, and the folder of a local checkpoint."""
    given = entry.checkpoint.removeprefix("local-dir:")
    if given.startswith("hf-hub:"):
        return given, None, None
    local = given != entry.checkpoint
    path = checkpoint_path(dataclasses.replace(entry, checkpoint=given))
    if path is None and (local or given.count("/") != 1):
        raise UserError(
            f"model {entry.name!r}: no checkpoint folder {given}: run `make weights`, or mend the "
            "path in the model catalogue"
        )
    if path is None:
        architecture, tag = given.split("/")
        return architecture, tag, None
    missing = [f for f in (_CONFIG, "*.safetensors") if not any(path.glob(f))]
    if missing:
        raise UserError(
            f"model {entry.name!r}: {entry.checkpoint} has no {missing[0]}: run `make weights`, or "
            "mend the path in the model catalogue"
        )
    return f"local-dir:{path}", None, path


def _broken(entry: ModelEntry, folder: Path | None, error: Exception) -> str:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if folder is None:
        return (
            f"model {entry.name!r}: {entry.checkpoint} cannot be loaded ({first}): check the name "
            "and the network"
        )
    return (
        f"model {entry.name!r}: {damaged_file(folder)} does not load ({first}): "
        "run `make weights`, or mend the checkpoint in the model catalogue"
    )


def _weights_digest(model: Any) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        data = tensor.contiguous().flatten().view(torch.uint8).numpy()
        digest.update(name.encode() + b"\0" + data.tobytes())
    return digest.hexdigest()
