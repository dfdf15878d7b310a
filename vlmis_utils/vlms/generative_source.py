"""Where a generative checkpoint comes from, how it is to run, and why it does not load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from vlmis_utils import hub
from vlmis_utils.catalogue import checkpoint_path
from vlmis_utils.errors import UserError, closest
from vlmis_utils.segmenters import folder_digest
from vlmis_utils.vlms.chats import PLAIN
from vlmis_utils.vlms.files import damaged_file

if TYPE_CHECKING:
    from vlmis_utils.catalogue import ModelEntry

__all__ = ["OPTIONS", "checked", "locate", "why_broken"]

# Options of a catalogue entry; `vlmis_utils.vlms.generative.load_generative` says what they mean.
OPTIONS: tuple[str, ...] = (
    "describe_tokens", "short_tokens", "min_pixels", "max_pixels", "longest_edge",
    "image_splitting", "whole_image", "question", "dtype",
)  # fmt: skip
_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def checked(entry: ModelEntry, device: str) -> tuple[torch.dtype, str]:
    """Return the precision and the form of a question that an entry's options ask for.

    Raises:
        UserError: an unknown option, precision or form.
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
    return _TYPES[str(kind)], question


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
