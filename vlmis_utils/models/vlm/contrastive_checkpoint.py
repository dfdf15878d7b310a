"""Where a contrastive checkpoint comes from, and with which settings open_clip makes a model of it.

open_clip can fetch by itself, but then takes the newest revision and falls back on pickled weights
without a word. So files are fetched by `models.hub` (pinned, safetensors only, checked) and
handed to open_clip as local ones.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.models import hub
from vlmis_utils.models.checkpoints import folder_digest
from vlmis_utils.protocol.models import checkpoint_path

if TYPE_CHECKING:
    from vlmis_utils.protocol.models import ModelEntry

__all__ = ["Source", "locate", "repository"]

_CONFIG = "open_clip_config.json"
_TEXTS = ("*.json", "*.txt", "*.model")
_WEIGHTS = "open_clip_*.safetensors"


@dataclass(frozen=True)
class Source:
    """A contrastive checkpoint on disk.

    Attributes:
        folder: holds its weights.
        name: what open_clip calls the model: ``local-dir:<folder>`` or an architecture.
        digest: of everything that determines its scores, but the options of the entry.
        weights: file, where ``name`` is an architecture.
        settings: further arguments of ``open_clip.create_model_from_pretrained``.
        tokenizer: folder of its tokenizer; None for the one that open_clip itself brings along.
        text: the text tower's configuration.
        commit: of the hub repository, None for a folder.
    """

    folder: Path
    name: str
    digest: str
    weights: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    tokenizer: Path | None = None
    text: Mapping[str, Any] = field(default_factory=dict)
    commit: str | None = None

    def tokenize(self) -> Callable[[list[str]], Tensor]:
        """Return the tokenizer: texts to token ids, int64 (texts, context length)."""
        import open_clip
        from open_clip.tokenizer import HFTokenizer

        if self.tokenizer is None:
            return open_clip.get_tokenizer(self.name)
        return HFTokenizer(
            str(self.tokenizer),
            context_length=self.text.get("context_length", 77),
            tokenizer_mode=self.text.get("tokenizer_mode"),
            **self.text.get("tokenizer_kwargs", {}),
        )


def locate(entry: ModelEntry) -> Source:
    """Find, or fetch, the files of a contrastive checkpoint.

    ``entry.checkpoint`` is a folder with ``open_clip_config.json`` and safetensors (a prefix
    ``local-dir:`` is allowed), ``hf-hub:<owner>/<name>`` of such a repository, or open_clip's
    ``<architecture>/<tag>``. ``entry.revision`` pins the repository of the last two.

    Raises:
        UserError: no such folder, repository or tag, or one without what is needed.
    """
    given = entry.checkpoint.removeprefix("local-dir:")
    if given.startswith("hf-hub:"):
        return _of_repository(entry, given.removeprefix("hf-hub:"))
    path = checkpoint_path(dataclasses.replace(entry, checkpoint=given))
    if path is not None:
        return _of_folder(entry, path)
    if given != entry.checkpoint or given.count("/") != 1:
        raise UserError(
            f"model {entry.name!r}: no checkpoint folder {given}: run `make weights`, or mend the "
            "path in the model catalogue"
        )
    return _of_tag(entry, *given.split("/"))


def repository(entry: ModelEntry) -> str | None:
    """Return the hub id that a contrastive entry stands for; None for a folder or unknown tag."""
    if entry.checkpoint.startswith("hf-hub:"):
        return entry.checkpoint.removeprefix("hf-hub:")
    architecture, _, tag = entry.checkpoint.partition("/")
    import open_clip

    facts = open_clip.get_pretrained_cfg(architecture, tag)
    return facts["hf_hub"].rpartition("/")[0] if facts else None


def _of_folder(entry: ModelEntry, path: Path) -> Source:
    missing = [f for f in (_CONFIG, "*.safetensors") if not any(path.glob(f))]
    if missing:
        raise UserError(
            f"model {entry.name!r}: {entry.checkpoint} has no {missing[0]}: run `make weights`, or "
            "mend the path in the model catalogue"
        )
    _text_config(entry, path)
    return Source(path, f"local-dir:{path}", folder_digest(path))


def _of_repository(entry: ModelEntry, repository: str) -> Source:
    files = (*_TEXTS, _WEIGHTS)
    folder = hub.fetch(entry.name, repository, entry.revision, files)
    if not (folder / _CONFIG).exists():
        raise UserError(
            f"model {entry.name!r}: {repository} has no {_CONFIG}, so it is not open_clip's: a "
            "generative model needs library: transformers-vlm"
        )
    text = _text_config(entry, folder)
    own = text.get("hf_tokenizer_name")
    has_tokenizer = (folder / "tokenizer_config.json").exists()
    tokenizer = folder if own else None
    digest = hub.digest(folder, files)
    if own and not has_tokenizer:
        tokenizer = hub.fetch(entry.name, own, None, _TEXTS)
        digest += hub.digest(tokenizer, _TEXTS)
    name = f"local-dir:{folder}"
    return Source(folder, name, digest, tokenizer=tokenizer, text=text, commit=folder.name)


def _of_tag(entry: ModelEntry, architecture: str, tag: str) -> Source:
    import open_clip

    known = open_clip.list_pretrained()
    if (architecture, tag) not in known:
        raise UserError(
            f"model {entry.name!r}: open_clip knows no checkpoint {entry.checkpoint}"
            f"{closest(entry.checkpoint, ['/'.join(pair) for pair in known])}: "
            "put hf-hub: in front of a hub id"
        )
    facts = open_clip.get_pretrained_cfg(architecture, tag)
    repository, _, file = facts["hf_hub"].rpartition("/")
    weights = f"{Path(file).stem}.safetensors" if file else "open_clip_model.safetensors"
    files = (*_TEXTS, weights)
    folder = hub.fetch(entry.name, repository, entry.revision, files)
    text = open_clip.get_model_config(architecture)["text_cfg"]
    own, tokenizer = text.get("hf_tokenizer_name"), None
    if own:
        tokenizer = folder if own == repository else hub.fetch(entry.name, own, None, _TEXTS)
    settings = {
        "force_quick_gelu": bool(facts.get("quick_gelu")),
        "image_mean": facts["mean"],
        "image_std": facts["std"],
        "image_interpolation": facts["interpolation"],
        "image_resize_mode": facts["resize_mode"],
    }
    content = [hub.digest(folder, files), architecture, sorted(settings.items())]
    if tokenizer not in (None, folder):
        content.append(hub.digest(tokenizer, _TEXTS))
    digest = hashlib.sha256(repr(content).encode()).hexdigest()
    file = str(folder / weights)
    return Source(folder, architecture, digest, file, settings, tokenizer, text, folder.name)


def _text_config(entry: ModelEntry, folder: Path) -> dict[str, Any]:
    """Return the text tower's configuration; what would run foreign code is refused."""
    path = folder / _CONFIG
    try:
        written = path.read_text(encoding="utf-8")
        text = json.loads(written)["model_cfg"]["text_cfg"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"model {entry.name!r}: {path} is no configuration of open_clip"
            f" ({type(error).__name__}): mend the checkpoint"
        ) from None
    if "trust_remote_code" in written:
        raise UserError(
            f"model {entry.name!r}: {path} asks for code of its own, which is never run: "
            "take another checkpoint"
        )
    return text
