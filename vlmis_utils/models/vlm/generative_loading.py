"""From a catalogue entry to a generative model of transformers, with its own processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vlmis_utils.core.errors import UserError
from vlmis_utils.models.vlm.chat_template import limit_pixels
from vlmis_utils.models.vlm.generative import Generative
from vlmis_utils.models.vlm.generative_options import checked, locate, why_broken
from vlmis_utils.protocol.models import checkpoint_path

if TYPE_CHECKING:
    from vlmis_utils.protocol.models import ModelEntry

__all__ = ["load_generative"]


def load_generative(entry: ModelEntry, device: str = "cpu") -> Generative:
    """Load a transformers image-text-to-text model with its own processor and chat template.

    ``entry.checkpoint`` is a folder of `save_pretrained` or a hub id (``entry.revision`` pins it).
    Options: those of `models.vlm.generative_options.Settings`, with ``dtype`` (float32,
    bfloat16, float16) by default float32 on a CPU and bfloat16 on a GPU, or float16 on one that is
    too old for it; and the image size, see `models.vlm.chat_template.limit_pixels`.

    Raises:
        UserError: no such checkpoint, damaged files, or an unknown option; the message names them
            and the remedy.
    """
    settings = checked(entry, device)
    folder, digest = locate(entry)
    from transformers import AutoModelForImageTextToText, AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(folder, trust_remote_code=False)
        model = AutoModelForImageTextToText.from_pretrained(
            folder, dtype=settings.precision, use_safetensors=True, trust_remote_code=False
        )
    except Exception as error:
        raise UserError(why_broken(entry, folder, error)) from error
    limit_pixels(processor, entry)
    precision = "" if settings.precision == torch.float32 else str(settings.precision)
    return Generative(
        model,
        processor,
        digest + repr(entry.options) + precision,
        device,
        settings,
        commit=None if checkpoint_path(entry) else folder.name,
        name=entry.name,
    )
