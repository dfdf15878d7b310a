"""How each library's models turn images into scores, one map a label."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from vlmis_utils.core.errors import UserError, one_line
from vlmis_utils.models.checkpoints import damaged_file
from vlmis_utils.models.segmentation.argmax import resize
from vlmis_utils.models.segmentation.options import SegmenterOptions

if TYPE_CHECKING:
    from vlmis_utils.protocol.models import ModelEntry

__all__ = ["Scores", "load_deeplab", "load_transformers"]

# Whose masks are one logit a query and pixel; the others' own post-processing is used.
_MASK_FAMILIES = ("mask2former", "maskformer")
_DIVISOR = 32  # of the sides that these were evaluated with
_QUERIES = 16  # upsampled at a time, for they are large


class Scores(Protocol):
    """From images to scores."""

    def __call__(self, images: Tensor, chosen: Tensor | None) -> Tensor:
        """Map uint8 (B, 3, H, W) to float (B, C, h, w), for the chosen labels only or for all.

        What is left to do is to resize them bilinearly to (H, W).
        """
        ...


def load_deeplab(
    entry: ModelEntry, options: SegmenterOptions, folder: Path, device: str
) -> tuple[Scores, list[str]]:
    """Return the scores of a DeepLabV3+ folder of `models.segmentation.deeplab`, and its labels.

    Raises:
        UserError: a file is missing or broken.
    """
    from vlmis_utils.models.segmentation.deeplab import DeepLabV3Plus

    model = _ready(DeepLabV3Plus.from_pretrained(folder).fold_normalisation(), device)
    model = model.to(memory_format=torch.channels_last)
    config = model.config
    mean = torch.tensor(config.mean, device=device).view(1, 3, 1, 1)
    std = torch.tensor(config.std, device=device).view(1, 3, 1, 1)
    wanted = config.size if options.size is None else options.size

    def scores(images: Tensor, chosen: Tensor | None) -> Tensor:
        x = images.float() / 255
        if isinstance(wanted, tuple):
            x = resize(x, wanted, antialias=True)
        logits = model.coarse(((x - mean) / std).contiguous(memory_format=torch.channels_last))
        logits = _chosen(logits.float(), chosen)
        seen, size = tuple(x.shape[2:]), tuple(images.shape[2:])
        return logits if seen == size else resize(logits, seen)

    return scores, list(config.labels)


def load_transformers(
    entry: ModelEntry, options: SegmenterOptions, folder: Path, device: str
) -> tuple[Scores, list[str]]:
    """Return the scores of any semantic or universal segmenter of transformers, and its labels.

    Images go through the checkpoint's own processor.

    Raises:
        UserError: the files do not load, or the model must be told its task in words.
    """
    universal = entry.library == "transformers-universal"
    processor, model = _opened(entry, folder, universal)
    family = model.config.model_type
    fixed = universal and family not in _MASK_FAMILIES
    _check(entry.name, model, options, fixed)
    model = _ready(model, device)
    names = [str(model.config.id2label[index]) for index in range(model.config.num_labels)]

    def inputs_of(images: Tensor) -> Any:
        how = _resizing(options, tuple(images.shape[2:]))
        return processor(images=list(images), return_tensors="pt", **how).to(device)

    def semantic(images: Tensor, chosen: Tensor | None) -> Tensor:
        logits = model(pixel_values=inputs_of(images)["pixel_values"]).logits.float()
        return _chosen(logits, chosen)

    def masked(images: Tensor, chosen: Tensor | None) -> Tensor:
        inputs = inputs_of(images)
        outputs = model(pixel_values=inputs["pixel_values"], pixel_mask=inputs.get("pixel_mask"))
        classes = _chosen(outputs.class_queries_logits.float().softmax(-1)[..., :-1], chosen, -1)
        masks = outputs.masks_queries_logits.float()
        if options.masks == "full":
            return _full_scores(classes, masks, inputs, tuple(images.shape[2:]))
        return _library_scores(classes, masks)

    def other(images: Tensor, chosen: Tensor | None) -> Tensor:
        inputs = inputs_of(images)
        outputs = model(pixel_values=inputs["pixel_values"])
        outputs.patch_offsets = inputs.get("patch_offsets")
        sizes = [tuple(images.shape[2:])] * len(images)
        found = processor.post_process_semantic_segmentation(
            outputs, target_sizes=sizes, return_segmentation_scores=True
        )
        return _chosen(torch.stack([one.segmentation_scores for one in found]).float(), chosen)

    if not universal:
        return semantic, names
    return (other if fixed else masked), names


def _opened(entry: ModelEntry, folder: Path, universal: bool) -> tuple[Any, Any]:
    """Return the processor and the model of a checkpoint; none of its own code is run."""
    from transformers import (
        AutoImageProcessor,
        AutoModelForSemanticSegmentation,
        AutoModelForUniversalSegmentation,
    )

    auto = AutoModelForUniversalSegmentation if universal else AutoModelForSemanticSegmentation
    try:
        processor = AutoImageProcessor.from_pretrained(folder, trust_remote_code=False)
        model = auto.from_pretrained(
            folder, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
        )
    except Exception as error:
        embedded = entry.checkpoint.startswith("vlmis_utils/")
        raise UserError(
            f"model {entry.name!r}: {damaged_file(folder)} does not load ({one_line(error)}):"
            f" {'run `make weights`, or ' if embedded else ''}mend the checkpoint in the model"
            " catalogue"
        ) from error
    return processor, model


def _check(name: str, model: Any, options: SegmenterOptions, fixed: bool) -> None:
    family = model.config.model_type
    if "task_inputs" in inspect.signature(model.forward).parameters:
        raise UserError(
            f"model {name!r}: {family} wants to be told its task, which is not supported:"
            " take a semantic checkpoint of another family"
        )
    if options.masks != "library" and family not in _MASK_FAMILIES:
        raise UserError(f"model {name!r}: masks is an option of Mask2Former, not of {family}")
    if fixed and options.size:
        raise UserError(
            f"model {name!r}: {family} sees images as its own processor cuts them: leave out the"
            " option size"
        )


def _resizing(options: SegmenterOptions, size: tuple[int, ...]) -> dict[str, object]:
    """Return what to tell an image processor about images of a size, in the options' words."""
    from transformers.image_utils import SizeDict

    if options.size is None:
        return {}
    if isinstance(options.size, tuple):
        height, width = options.size
        return {"do_resize": True, "size": {"height": height, "width": width}}
    if options.masks == "library":
        return {"do_resize": False}
    # Who evaluates on whole images pads them, and cuts the masks: see `_full_scores`.
    height, width = (-(-side // _DIVISOR) * _DIVISOR for side in size)
    return {"do_resize": False, "pad_size": SizeDict(height=height, width=width)}


def _library_scores(classes: Tensor, masks: Tensor) -> Tensor:
    """Return scores of class probabilities (B, Q, C) and mask logits (B, Q, h, w).

    The steps of the library's ``post_process_semantic_segmentation`` (masks at 384 x 384 first, as
    there), for the whole batch at once.
    """
    with torch.autocast(masks.device.type, enabled=False):
        masks = resize(masks, (384, 384)).sigmoid()
        return torch.einsum("bqc,bqhw->bchw", classes, masks)


def _full_scores(classes: Tensor, masks: Tensor, inputs: Any, size: tuple[int, ...]) -> Tensor:
    """Return the same with mask logits upsampled straight to the image, padding cut off.

    As Cheng et al. (2022) evaluate Mask2Former on Cityscapes.
    """
    padded = tuple(inputs["pixel_values"].shape[2:])
    height, width = padded
    if inputs.get("pixel_mask") is not None:
        seen = inputs["pixel_mask"][0]
        height, width = int(seen.amax(1).sum()), int(seen.amax(0).sum())
    total = classes.new_zeros((len(masks), classes.shape[-1], *size))
    with torch.autocast(masks.device.type, enabled=False):
        groups = zip(classes.split(_QUERIES, 1), masks.split(_QUERIES, 1), strict=True)
        for part, logits in groups:
            whole = resize(resize(logits, padded)[:, :, :height, :width], size)
            total += torch.einsum("bqc,bqhw->bchw", part, whole.sigmoid())
    return total


def _chosen(scores: Tensor, chosen: Tensor | None, axis: int = 1) -> Tensor:
    return scores if chosen is None else scores.index_select(axis, chosen)


def _ready(model: Any, device: str) -> Any:
    model = model.eval().requires_grad_(False).to(device)
    assert isinstance(model, nn.Module)
    return model.to(memory_format=torch.channels_last) if device.startswith("cuda") else model
