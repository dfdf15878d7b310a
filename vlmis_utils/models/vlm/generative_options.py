"""Where a generative checkpoint comes from, how it is to run, and why it does not load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import torch
from pydantic import Field

from vlmis_utils.core.errors import UserError, one_line
from vlmis_utils.core.validation import Text, must
from vlmis_utils.models import hub
from vlmis_utils.models.checkpoints import damaged_file, folder_digest
from vlmis_utils.models.options import Options, Whole, read_options
from vlmis_utils.models.vlm.chat_template import PLAIN
from vlmis_utils.protocol.models import checkpoint_path

if TYPE_CHECKING:
    from vlmis_utils.protocol.models import ModelEntry

__all__ = ["Settings", "checked", "locate", "why_broken"]

Count = Annotated[Whole, Field(ge=1)]
Switch = Annotated[object, must(lambda v: v in (0, 1) and type(v) is not float, "0 or 1")]


class Settings(Options):
    """How a generative model is asked: the options of its entry.

    Attributes:
        describe_tokens, short_tokens: most new tokens of a description and of an answer to a closed
            question; an answer ends earlier at the model's end of turn.
        question: form of a prompt, around ``{prompt}``, for a model without a chat template.
        stop: ``end``: an answer ends where the model ends it; ``first``: one to a presence question
            whose first token spells yes or no is that token.
        images_together: images answered at a time in half precision.
        dtype: of weights and activations; ``auto`` is for the device to decide, see `checked`.
        min_pixels, max_pixels, longest_edge, image_splitting, whole_image: image size, see
            `models.vlm.chat_template.limit_pixels`; None for the checkpoint's own.
    """

    describe_tokens: Count = 96
    short_tokens: Count = 32
    question: Annotated[Text, must(lambda v: "{prompt}" in v, "text with {prompt} in it")] = PLAIN
    stop: Literal["end", "first"] = "end"
    images_together: Count = 8
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    min_pixels: Count | None = None
    max_pixels: Count | None = None
    longest_edge: Count | None = None
    image_splitting: Switch = None
    whole_image: Switch = None

    def limit(self, kind: str) -> int:
        """Return the most new tokens of an answer to a kind of prompt: describe, presence, safety.

        >>> Settings().limit("describe"), Settings().limit("safety")
        (96, 32)
        """
        return self.describe_tokens if kind == "describe" else self.short_tokens

    @property
    def precision(self) -> torch.dtype:
        """The type of weights and activations."""
        return torch.float32 if self.dtype == "auto" else getattr(torch, self.dtype)


def checked(entry: ModelEntry, device: str) -> Settings:
    """Return the settings that an entry's options ask for, with the precision usual on a device.

    Raises:
        UserError: unknown options and wrong values, all of them in one line.
    """
    settings = read_options(Settings, entry)
    if settings.dtype != "auto" or not device.startswith("cuda"):
        return settings
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return settings.model_copy(update={"dtype": "bfloat16" if native else "float16"})


def locate(entry: ModelEntry) -> tuple[Path, str]:
    """Return the checkpoint's folder, fetched from the hub where it names one, and its digest.

    Raises:
        UserError: no such checkpoint.
    """
    path = checkpoint_path(entry)
    if path is not None and (path / "config.json").exists():
        return path, folder_digest(path)
    if path is not None or entry.checkpoint.count("/") != 1:
        raise UserError(
            f"model {entry.name!r}: no checkpoint with a config.json at {entry.checkpoint}: run "
            "`make weights`, or mend the path in the model catalogue"
        )
    folder = hub.fetch(entry.name, entry.checkpoint, entry.revision)
    return folder, hub.digest(folder)


def why_broken(entry: ModelEntry, folder: Path, error: Exception) -> str:
    """Say in a line why a checkpoint does not load, and what to do."""
    first = one_line(error)
    if '"auto_map"' in (folder / "config.json").read_text(encoding="utf-8"):
        return (
            f"model {entry.name!r}: {entry.checkpoint} needs code of its own, which is never run: "
            "take a checkpoint of a class that transformers has"
        )
    if isinstance(error, ImportError):
        return f"model {entry.name!r}: {first}"
    return (
        f"model {entry.name!r}: {damaged_file(folder)} does not load ({first}): "
        "run `make weights`, or mend the checkpoint in the model catalogue"
    )
