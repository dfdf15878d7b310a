"""The model catalogue, `params/models.yaml`: which models a study can name, and where they lie.

One entry for each model: its library decides the code that loads it, the checkpoint is a folder, a
file or an identifier in that library's own standard format, the revision pins what a hub serves.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from vlmis_utils.core.errors import UserError, closest, shown

__all__ = ["LIBRARIES", "ModelEntry", "checkpoint_path", "find_model", "load_catalogue"]

# library -> kind of model it loads
LIBRARIES: dict[str, str] = {
    "deeplabv3plus": "segmenter",
    "transformers-semantic": "segmenter",
    "transformers-universal": "segmenter",
    "open_clip": "vlm",
    "transformers-vlm": "vlm",
    "openai": "vlm",
}
KINDS: tuple[str, ...] = ("segmenter", "vlm")
ROOT = Path(__file__).resolve().parents[2]

_LOCAL = re.compile(r"^[./~]|^vlmis_utils/|^checkpoints/|\.(pth|pt|safetensors|bin)$")


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


_KEYS = tuple(f.name for f in dataclasses.fields(ModelEntry) if f.name != "name")


def load_catalogue(path: str | Path = "params/models.yaml") -> dict[str, ModelEntry]:
    """Read and check a model catalogue: YAML, one mapping for each model name.

    A relative path that does not exist from the working directory is taken from the repository
    root. Checkpoints are not looked for here: see `checkpoint_path`.

    Raises:
        UserError: no such file, no YAML mapping, an unknown key, kind or library, or an entry
            without a checkpoint. The message names the entry and the remedy.

    >>> load_catalogue()["clip"].label
    'CLIP'
    """
    given = Path(path)
    found = given if given.exists() or given.is_absolute() else ROOT / given
    try:
        read = yaml.safe_load(found.read_text(encoding="utf-8"))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"model catalogue {path} is not YAML: {reason}") from None
    except OSError as error:
        raise UserError(
            f"cannot read model catalogue {path} ({error.strerror}): "
            "set the parameter models to an existing file such as params/models.yaml"
        ) from None
    if not isinstance(read, dict) or not read:
        raise UserError(f"model catalogue {path} must map model names to entries, as models.yaml")
    return {str(name): _entry(str(name), fields, path) for name, fields in read.items()}


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
        UserError: the checkpoint is a local path and nothing is there.
    """
    given = Path(entry.checkpoint).expanduser()
    for path in (given, ROOT / given):
        if entry.library != "openai" and path.exists():
            return path
    for path in (Path("checkpoints") / given, ROOT / "checkpoints" / given):
        if entry.library.startswith("transformers") and any(path.glob("*.safetensors")):
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


def _entry(name: str, fields: object, path: str | Path) -> ModelEntry:
    where = f"model {name!r} in {path}"
    if not isinstance(fields, dict):
        raise UserError(f"{where}: must be a mapping with library and checkpoint")
    for key in fields:
        if key not in _KEYS:
            raise UserError(f"{where}: unknown key {key!r}{closest(key, _KEYS)}")
    for key in ("library", "checkpoint"):
        if not fields.get(key):
            raise UserError(f"{where}: {key} is missing: add a line `{key}: ...`")
    for key, value in fields.items():
        if key != "options" and value is not None and not isinstance(value, str):
            raise UserError(f"{where}: {key} must be text, not {shown(value)}: put it in quotes")
    library = fields["library"]
    if library not in LIBRARIES:
        raise UserError(f"{where}: unknown library {library!r}{closest(library, LIBRARIES)}")
    kind = fields.get("kind") or LIBRARIES[library]
    if kind not in KINDS:
        raise UserError(f"{where}: unknown kind {kind!r}{closest(kind, KINDS)}")
    if kind != LIBRARIES[library]:
        raise UserError(f"{where}: {library} loads a {LIBRARIES[library]}, not a {kind}")
    options = fields.get("options") or {}
    if not isinstance(options, dict):
        raise UserError(f"{where}: options must be a mapping, not {shown(options)}")
    return ModelEntry(
        name=name,
        kind=kind,
        library=library,
        checkpoint=fields["checkpoint"],
        revision=fields.get("revision"),
        shown=fields.get("shown") or name,
        label=fields.get("label") or fields.get("shown") or name,
        licence=fields.get("licence") or "",
        parameters=fields.get("parameters") or "",
        visual_tokens=fields.get("visual_tokens") or "",
        options=tuple(sorted((str(k), _frozen(v)) for k, v in options.items())),
    )


def _frozen(value: object) -> object:
    """Make an option hashable: a list becomes a tuple, a mapping a tuple of pairs."""
    if isinstance(value, dict):
        return tuple((str(key), _frozen(v)) for key, v in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
