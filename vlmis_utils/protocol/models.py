"""The model catalogue, `params/models.yaml`: which models a study can name, and where they lie.

One entry for each model: its library decides the code that loads it, the checkpoint is a folder, a
file or an identifier in that library's own standard format, the revision pins what a hub serves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.core.sniff import what_is
from vlmis_utils.core.strict_yaml import parse_yaml
from vlmis_utils.core.validation import Text, known_as, must, problems

__all__ = [
    "EXPORTED", "LIBRARIES", "PHOTOGRAPHS", "ModelEntry", "architecture", "checkpoint_path",
    "find_model", "load_catalogue",
]  # fmt: skip

# library -> kind of model it loads
LIBRARIES: dict[str, str] = {
    "deeplabv3plus": "segmenter",
    "transformers-semantic": "segmenter",
    "transformers-universal": "segmenter",
    "litert": "segmenter",
    "onnx": "segmenter",
    "open_clip": "vlm",
    "transformers-vlm": "vlm",
    "openai": "vlm",
}
# library whose checkpoint is one exported file -> its ending
EXPORTED: dict[str, str] = {"litert": ".tflite", "onnx": ".onnx"}
KINDS: tuple[str, ...] = ("segmenter", "vlm")
# What the catalogue's names of the checkpoints trained on photographs end with.
PHOTOGRAPHS = "-small-cityscapes"
_REQUIRED = ("library", "checkpoint")
_QUOTES = "must be text (put it in quotes), not"
_SHOWN = 6
_WEIGHTS = (".safetensors", ".bin", ".pth", ".pt", ".tflite", ".onnx", ".model", ".json")
ROOT = Path(__file__).resolve().parents[2]

_LOCAL = re.compile(r"^[./~]|^vlmis_utils/|^checkpoints/|\.(pth|pt|safetensors|bin|tflite|onnx)$")


@dataclass(frozen=True)
class ModelEntry:
    """A model under test, as the catalogue describes it.

    Attributes:
        name: how parameter files and records call it.
        kind: ``segmenter`` or ``vlm``.
        library: a key of `LIBRARIES`.
        checkpoint: folder or file (relative to the repository root), hub id, open_clip
            ``architecture/tag``, or the model name of a hosted API.
        revision: commit of the hub repository; None for local files and hosted models.
        shown: full name in tables and captions, such as "CLIP architecture, StreetWorld
            checkpoint".
        label: short name in figures, such as "CLIP".
        licence, parameters, visual_tokens: of the checkpoint, in words, for the table of models;
            empty where the catalogue does not say.
        options: what the library needs beyond that, such as ``min_pixels``; free of secrets.
    """

    name: str
    kind: str
    library: str
    checkpoint: str
    revision: str | None = None
    shown: str = ""
    label: str = ""
    licence: str = ""
    parameters: str = ""
    visual_tokens: str = ""
    options: tuple[tuple[str, object], ...] = ()

    def option(self, key: str, default: object = None) -> object:
        """Return the option called ``key``, or ``default``."""
        return dict(self.options).get(key, default)


def architecture(name: str) -> str:
    """Return a model's name without what the project trained it on, for colours and printed values.

    >>> architecture("clip-small-cityscapes"), architecture("clip"), architecture("clip-vit-b-32")
    ('clip', 'clip', 'clip-vit-b-32')
    """
    return name.removesuffix(PHOTOGRAPHS)


def load_catalogue(path: str | Path = "params/models.yaml") -> dict[str, ModelEntry]:
    """Read and check a model catalogue: YAML, one mapping for each model name.

    A relative path that does not exist from the working directory is taken from the repository
    root. Checkpoints are not looked for here: see `checkpoint_path`; the options of an entry are
    checked by the library that takes them.

    Raises:
        UserError: no such file, no YAML mapping, an unknown key, kind or library, or an entry
            without a checkpoint. The message names every mistake, its entry and the remedy.

    >>> load_catalogue()["clip"].label
    'CLIP'
    """
    given = Path(path)
    found = given if given.exists() or given.is_absolute() else ROOT / given
    try:
        read = parse_yaml(found.read_text(encoding="utf-8"))
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"model catalogue {path} cannot be read as YAML: {reason}") from None
    except OSError as error:
        raise UserError(
            f"cannot read model catalogue {path} ({error.strerror}): "
            "set the parameter models to an existing file such as params/models.yaml"
        ) from None
    if not isinstance(read, dict) or not read:
        raise UserError(f"model catalogue {path} must map model names to entries, as models.yaml")
    entries: dict[str, ModelEntry] = {}
    wrong: list[str] = []
    for name, fields in read.items():
        try:
            entries[str(name)] = _entry(str(name), fields)
        except UserError as error:
            wrong.append(f"model {str(name)!r} in {path}: {error}")
    if wrong:
        more = f"; and {len(wrong) - _SHOWN} more models" if len(wrong) > _SHOWN else ""
        raise UserError("; ".join(wrong[:_SHOWN]) + more)
    return entries


def find_model(catalogue: dict[str, ModelEntry], name: str, kind: str | None = None) -> ModelEntry:
    """Return the entry called ``name``.

    Args:
        catalogue: of `load_catalogue`.
        name: model name.
        kind: ``segmenter`` or ``vlm`` where only one will do.

    Raises:
        UserError: no such model, or one of the other kind; names the closest.
    """
    known = [n for n, e in catalogue.items() if kind in (None, e.kind)]
    if name not in catalogue:
        raise UserError(f"unknown {kind or 'model'} {name!r}{closest(name, known)}")
    if name not in known:
        other = catalogue[name].kind
        raise UserError(f"model {name!r} is a {other}, not a {kind}: list it under {other}s")
    return catalogue[name]


def checkpoint_path(entry: ModelEntry) -> Path | None:
    """Return the folder or file of a local checkpoint, None for a hub id or a hosted model.

    A copy in ``checkpoints/<hub id>``, such as `models.convert` writes it, stands in for what
    the hub has under that id.

    Raises:
        UserError: the checkpoint is a local path and nothing is there, or a file of it is what
            `core.sniff` knows: a Git LFS pointer, a web page, empty.
    """
    given = Path(entry.checkpoint).expanduser()
    for path in (given, ROOT / given):
        if entry.library != "openai" and path.exists():
            _check_files(entry.name, path)
            return path
    for path in (Path("checkpoints") / given, ROOT / "checkpoints" / given):
        if entry.library.startswith("transformers") and any(path.glob("*.safetensors")):
            _check_files(entry.name, path)
            return path
    if entry.library != "openai" and _LOCAL.search(entry.checkpoint):
        remedy = "put it there or change params/models.yaml"
        if entry.checkpoint.startswith("vlmis_utils/"):
            remedy = "run `make weights`"
        elif entry.library == "deeplabv3plus" and not given.suffix:
            remedy += (
                f"; `vlmis convert deeplabv3plus FILE.pth {entry.checkpoint}` makes it of a public"
                " file"
            )
        raise UserError(f"model {entry.name!r}: no checkpoint at {entry.checkpoint}: {remedy}")
    return None


def _check_files(name: str, path: Path) -> None:
    """Refuse a checkpoint of which a file is not what its name says, before a library reads it."""
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        if file.suffix in _WEIGHTS and file.is_file() and (what := what_is(file)):
            raise UserError(f"model {name!r}: {file} is {what}")


class _Fields(BaseModel):
    """An entry as the catalogue writes it; `LIBRARIES` says which kind a library loads."""

    model_config = ConfigDict(extra="forbid")

    library: Annotated[Text, known_as("library", LIBRARIES)]
    checkpoint: Annotated[Text, must(bool, "a folder, a file or a hub id")]
    kind: Annotated[Text, known_as("kind", KINDS)] | None = None
    revision: Text | None = None
    shown: Text | None = None
    label: Text | None = None
    licence: Text | None = None
    parameters: Text | None = None
    visual_tokens: Text | None = None
    options: dict[Any, Any] | None = None

    @model_validator(mode="after")
    def _kind_of_library(self) -> _Fields:
        if self.kind not in (None, LIBRARIES[self.library]):
            due = LIBRARIES[self.library]
            raise ValueError(f"{self.library} loads a {due}, not a {self.kind}")
        return self


def _entry(name: str, fields: object) -> ModelEntry:
    if not isinstance(fields, dict):
        raise UserError("must be a mapping with library and checkpoint")
    given = {str(key): value for key, value in fields.items()}
    try:
        read = _Fields(**{k: v for k, v in given.items() if v is not None or k not in _REQUIRED})
    except ValidationError as error:
        found = problems(error, given, _Fields.model_fields)
        texts = (p.text.replace("must be text, not", _QUOTES) for p in found)
        raise UserError("; ".join(texts)) from None
    return ModelEntry(
        name=name,
        kind=LIBRARIES[read.library],
        library=read.library,
        checkpoint=read.checkpoint,
        revision=read.revision,
        shown=read.shown or name,
        label=read.label or read.shown or name,
        licence=read.licence or "",
        parameters=read.parameters or "",
        visual_tokens=read.visual_tokens or "",
        options=tuple(sorted((str(k), _frozen(v)) for k, v in (read.options or {}).items())),
    )


def _frozen(value: object) -> object:
    """Make an option hashable: a list becomes a tuple, a mapping a tuple of pairs."""
    if isinstance(value, dict):
        return tuple((str(key), _frozen(v)) for key, v in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
