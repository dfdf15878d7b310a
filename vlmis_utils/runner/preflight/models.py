"""The models of a study: settings, checkpoints, keys of hosted ones, and the memory each needs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from vlmis_utils.core.device import resolve_device
from vlmis_utils.core.errors import UserError
from vlmis_utils.models.checkpoints import count_parameters, stated_parameters
from vlmis_utils.models.options import Options, read_options
from vlmis_utils.protocol.models import EXPORTED, ModelEntry, checkpoint_path, load_catalogue
from vlmis_utils.protocol.study import Study
from vlmis_utils.runner.preflight.finding import Finding, size
from vlmis_utils.runner.preflight.hub import in_cache, on_hub

__all__ = ["Need", "model_findings"]

_CONFIG = {"open_clip": "open_clip_config.json"}
_MEND = "correct its options in the model catalogue"
_WEIGHTS = {"open_clip": ("open_clip_*.safetensors",)}


@dataclass(frozen=True)
class Need:
    """What a model on this machine takes.

    Attributes:
        name: of the model.
        memory: bytes of its weights as they are loaded; None where the number is not known.
        source: ``checkpoint`` (counted) or ``catalogue`` (stated there).
        download: bytes that are to be fetched first.
    """

    name: str
    memory: float | None
    source: str
    download: int = 0


def model_findings(study: Study) -> tuple[list[Finding], list[Need]]:
    """Look for every model of a study.

    Returns:
        one finding or more for each, and what those that run here need.
    """
    try:
        catalogue = load_catalogue(study.models)
    except UserError as error:
        return [Finding.of("models", error)], []
    findings: list[Finding] = []
    needs: list[Need] = []
    for name in (*study.segmenters, *study.vlms):
        entry = catalogue.get(name)
        if entry is None:  # said with the parameters
            continue
        wrong = _settings(entry)
        findings += wrong
        if entry.library == "openai":
            findings += [] if wrong else [_hosted(entry, study)]
            continue
        finding, folder, download = _checkpoint(entry)
        findings += [] if finding in wrong else [finding]
        needs.append(_need(entry, folder, study.device, download))
    return findings, needs


def _settings(entry: ModelEntry) -> list[Finding]:
    """Check the options that an entry sets."""
    try:
        read_options(_options(entry), entry)
    except UserError as error:
        return [Finding.of(entry.name, error, _MEND)]
    return []


def _options(entry: ModelEntry) -> type[Options]:
    """Return what the library of an entry takes; imported now, as its module may import more."""
    if entry.kind == "segmenter":
        from vlmis_utils.models.segmentation.options import options_of

        return options_of(entry.library)
    if entry.library == "transformers-vlm":
        from vlmis_utils.models.vlm.generative_options import Settings

        return Settings
    if entry.library == "openai":
        from vlmis_utils.models.vlm.openai_options import OpenAIOptions

        return OpenAIOptions
    from vlmis_utils.models.vlm.contrastive import ContrastiveOptions

    return ContrastiveOptions


def _hosted(entry: ModelEntry, study: Study) -> Finding:
    """Look for key and address of a hosted model, and for its prices; sends nothing."""
    from vlmis_utils.models.vlm.openai_connection import connect
    from vlmis_utils.models.vlm.openai_options import OpenAIOptions

    try:
        options = read_options(OpenAIOptions, entry)
        _, _, server = connect(entry.name, options)
    except UserError as error:
        return Finding.of(entry.name, error, _MEND)
    if study.max_cost and options.prices is None:
        return Finding(
            entry.name, "fail", "max_cost is set, but this model has no prices",
            "add price_in and price_out to its options, or limit max_requests",
        )  # fmt: skip
    where = "the client's default server" if server == "default" else server
    found = f"{entry.checkpoint} at {where}, key in {options.key_variable}; nothing was sent"
    if study.max_cost or study.max_requests:
        return Finding(entry.name, "ok", found)
    remedy = "--max-requests N or --max-cost USD stops a run before it gets expensive"
    return Finding(entry.name, "warn", f"{found}, and no limit is set", remedy)


def _checkpoint(entry: ModelEntry) -> tuple[Finding, Path | None, int]:
    """Find a checkpoint; return its folder where it is here, and the bytes to fetch if not."""
    given = entry.checkpoint.removeprefix("local-dir:")
    try:
        folder = checkpoint_path(dataclasses.replace(entry, checkpoint=given))
        if folder is not None:
            return _complete(entry, folder), folder, 0
    except UserError as error:
        return Finding.of(entry.name, error), None, 0
    repository: str | None = entry.checkpoint
    if entry.library == "open_clip":
        from vlmis_utils.models.vlm.contrastive_checkpoint import repository as of_tag

        repository = of_tag(entry)
    if not repository or repository.count("/") != 1:
        found = f"{entry.checkpoint} is no folder, no hub id and no known tag"
        return Finding(entry.name, "fail", found, "mend it in the model catalogue"), None, 0
    folder = in_cache(repository, entry.revision)
    if folder is not None:
        try:
            count_parameters(folder)
            return Finding(entry.name, "ok", f"{repository} is in the cache"), folder, 0
        except UserError as error:
            return Finding.of(entry.name, error), None, 0
    weights = _WEIGHTS.get(entry.library, ("*.safetensors",))
    finding, download = on_hub(entry, repository, weights)
    return finding, None, download


def _complete(entry: ModelEntry, folder: Path) -> Finding:
    if entry.library in EXPORTED:
        return _exported(entry, folder)
    config = _CONFIG.get(entry.library, "config.json")
    remedy = "make or download it again"
    if entry.checkpoint.startswith("vlmis_utils/"):
        remedy = "run `make weights`"
    if not (folder / config).exists():
        return Finding(entry.name, "fail", f"no {config} in {folder}", remedy)
    try:
        count = count_parameters(folder)
    except UserError as error:
        return Finding.of(entry.name, error)
    return Finding(entry.name, "ok", f"{count / 1e6:.1f} million parameters in {entry.checkpoint}")


def _exported(entry: ModelEntry, path: Path) -> Finding:
    """Open an exported file as a run does, with the entry's options."""
    from vlmis_utils.models.segmentation.exported import load_exported
    from vlmis_utils.models.segmentation.options import ExportedOptions

    try:
        load_exported(entry, read_options(ExportedOptions, entry), path)
    except UserError as error:
        return Finding.of(entry.name, error, _MEND)
    return Finding(entry.name, "ok", f"{size(path.stat().st_size)} in {entry.checkpoint}")


def _need(entry: ModelEntry, folder: Path | None, device: str, download: int) -> Need:
    """Return parameters times bytes: 4 as float32, which all but generative models are."""
    each = 4
    if entry.library == "transformers-vlm":
        there = resolve_device() if device == "auto" else device
        kind = entry.option("dtype", "bfloat16" if there.startswith("cuda") else "float32")
        each = 4 if kind == "float32" else 2
    if folder is not None and folder.is_file():
        return Need(entry.name, folder.stat().st_size, "checkpoint", download)
    if folder is not None:
        try:
            return Need(entry.name, each * count_parameters(folder), "checkpoint", download)
        except UserError:
            pass
    stated = stated_parameters(entry.parameters)
    return Need(entry.name, None if stated is None else each * stated, "catalogue", download)


def memory_words(need: Need) -> str:
    """Return a need in words, such as ``16.6 GB of weights (catalogue)``."""
    if need.memory is None:
        return "unknown need"
    return f"{size(need.memory)} of weights ({need.source})"
