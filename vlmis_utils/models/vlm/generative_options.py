"""Where a generative checkpoint comes from, how it is to run, and why it does not load."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.models import hub
from vlmis_utils.models.files import damaged_file
from vlmis_utils.models.segmentation.loading import folder_digest
from vlmis_utils.models.vlm.chat_template import PLAIN, whole
from vlmis_utils.protocol.models import checkpoint_path

if TYPE_CHECKING:
    from vlmis_utils.protocol.models import ModelEntry

__all__ = ["OPTIONS", "Settings", "checked", "locate", "why_broken"]

# Options of a catalogue entry; `models.vlm.generative.load_generative` says what they mean.
OPTIONS: tuple[str, ...] = (
    "describe_tokens", "short_tokens", "min_pixels", "max_pixels", "longest_edge",
    "image_splitting", "whole_image", "question", "dtype", "images_together", "stop",
)  # fmt: skip
_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


_STOPS = ("end", "first")


@dataclass(frozen=True)
class Settings:
    """How a generative model is asked: the options of its entry that are not of its processor.

    Attributes:
        describe_tokens, short_tokens: most new tokens of a description and of an answer to a closed
            question; an answer ends earlier at the model's end of turn.
        question: form of a prompt, around ``{prompt}``, for a model without a chat template.
        stop: ``end``: an answer ends where the model ends it; ``first``: one to a presence question
            whose first token spells yes or no is that token.
        images_together: images answered at a time in half precision.
        dtype: of weights and activations.
    """

    describe_tokens: int = 96
    short_tokens: int = 32
    question: str = PLAIN
    stop: str = "end"
    images_together: int = 8
    dtype: torch.dtype = torch.float32

    def limit(self, kind: str) -> int:
        """Return the most new tokens of an answer to a kind of prompt: describe, presence, safety.

        >>> Settings().limit("describe"), Settings().limit("safety")
        (96, 32)
        """
        return self.describe_tokens if kind == "describe" else self.short_tokens


def checked(entry: ModelEntry, device: str) -> Settings:
    """Return the settings that an entry's options ask for.

    Raises:
        UserError: an unknown option, precision, form or end, or a number that is none.
    """
    for key, _ in entry.options:
        if key not in OPTIONS:
            raise UserError(f"model {entry.name!r}: unknown option {key!r}{closest(key, OPTIONS)}")
    usual = "float32"
    if device.startswith("cuda"):
        usual = "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    kind, question = entry.option("dtype", usual), entry.option("question", PLAIN)
    if kind not in _TYPES:
        raise UserError(f"model {entry.name!r}: unknown dtype {kind!r}{closest(kind, _TYPES)}")
    if not isinstance(question, str) or "{prompt}" not in question:
        raise UserError(f"model {entry.name!r}: option question must be text with {{prompt}} in it")
    stop = entry.option("stop", Settings.stop)
    if stop not in _STOPS:
        raise UserError(f"model {entry.name!r}: option stop must be end or first, not {stop!r}")
    counts = ("describe_tokens", "short_tokens", "images_together")
    numbers = {name: whole(entry, name, getattr(Settings, name)) for name in counts}
    return Settings(question=question, stop=str(stop), dtype=_TYPES[str(kind)], **numbers)


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
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
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
