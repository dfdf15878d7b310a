"""What a study needs of this machine: device, memory, disk, time, and the tools of the book."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch

from vlmis_utils.core import provenance
from vlmis_utils.core.device import resolve_device
from vlmis_utils.core.errors import UserError
from vlmis_utils.core.memory import available_memory
from vlmis_utils.core.progress import duration
from vlmis_utils.datasets.registry import open_scenes
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.protocol.study import Study
from vlmis_utils.runner.preflight.dataset import SCENE_BYTES, missing_scenes
from vlmis_utils.runner.preflight.finding import Finding, size
from vlmis_utils.runner.preflight.models import Need, memory_words
from vlmis_utils.runner.preflight.runtime import expected_seconds

__all__ = ["RECORD_BYTES", "machine_findings", "record_bytes"]

# Bytes of a row, shard and consolidated table together: measured on the embedded study of 100
# scenes, 10 conditions, 3 segmenters and 3 VLMs (8.7 MB in all).
RECORD_BYTES: dict[str, int] = {
    "scenes": 750, "conditions": 740, "segmentation": 1280, "answers": 110,
}  # fmt: skip
# Text of other models is longer and label maps of real scenes are less even: room for that.
_MARGIN = 4
# Executed pages and html: measured on the embedded study, 23 MB; it hardly grows with the scenes.
_BOOK_BYTES = 50_000_000
_TIGHT = 0.8  # share of the available memory that weights may take without a warning
_TOOLS = ("jupyter_book", "sphinx", "jupytext", "papermill", "ipykernel")


def machine_findings(study: Study, needs: Sequence[Need]) -> list[Finding]:
    """Return what is found about device, memory, disk, time and the book.

    Args:
        study: to be run.
        needs: of the models that run here.
    """
    findings = []
    device = None
    try:
        device = resolve_device(study.device)
        findings.append(Finding("device", "ok", _device_words(device)))
    except UserError as error:
        findings.append(Finding.of("device", error))
    findings += _memory(device, needs, study)
    findings += [_disk(study), *_downloads(needs), *_time(study, device), _book()]
    return findings


def record_bytes(study: Study) -> int:
    """Return the bytes that the records of a study need: rows of each table times `RECORD_BYTES`.

    With n scenes, c conditions, s segmenters and v VLMs there are n, n (c + 1), n c s and
    n (c + 1) v p rows, for p prompts; VLMs also see the blank image. Four times the measured size.

    >>> round(record_bytes(Study()) / 1e6)
    35
    """
    scenes, conditions = study.images, len(study.conditions)
    rows = {
        "scenes": scenes,
        "conditions": scenes * (conditions + 1),
        "segmentation": scenes * conditions * len(study.segmenters),
        "answers": scenes * (conditions + 1) * len(study.vlms) * len(PROMPTS),
    }
    return _MARGIN * sum(count * RECORD_BYTES[table] for table, count in rows.items())


def _device_words(device: str) -> str:
    if device.startswith("cuda"):
        return f"{device}: {torch.cuda.get_device_name(device)}"
    return f"{device}: {provenance.cores()} cores"


def _memory(device: str | None, needs: Sequence[Need], study: Study) -> list[Finding]:
    """Compare the weights of each model with the memory that is free; images come on top."""
    if device is None:
        unknown = "free memory unknown without a device"
        return [
            Finding("memory", "ok", f"{need.name}: {memory_words(need)}, {unknown}")
            for need in needs
        ]
    if device.startswith("cuda"):
        free, copies, place = torch.cuda.mem_get_info(device)[0], 1, "on the GPU"
    else:
        free = available_memory()
        copies, place = study.workers or provenance.cores(), "in memory"
        copies = min(copies, study.shard_size, study.images)
    findings = []
    for need in needs:
        found = f"{need.name}: {memory_words(need)}"
        if copies > 1 and need.memory is not None:
            found += f" in each of {copies} processes"
        found += f", {size(free)} available {place}"
        share = None if need.memory is None else need.memory * copies / free
        if share is None:
            remedy = "add `parameters: 7 B` to its entry in the model catalogue"
            findings.append(Finding("memory", "warn", found, remedy))
        elif share > _TIGHT:
            remedy = "a smaller model, or a larger or idle GPU"
            if not device.startswith("cuda"):
                remedy = "a smaller model" + (", or -p workers 1" if copies > 1 else "")
            status = "fail" if share > 1 and device.startswith("cuda") else "warn"
            findings.append(Finding("memory", status, found, remedy))
        else:
            findings.append(Finding("memory", "ok", found))
    return findings


def _disk(study: Study) -> Finding:
    need = record_bytes(study) + _BOOK_BYTES
    what = "records and book"
    if study.dataset == "streetworld":
        try:
            missing = missing_scenes(open_scenes(study))
        except UserError:
            missing = study.images
        if missing:
            need, what = need + missing * SCENE_BYTES, f"{what}, {missing} scenes to render"
    place = _existing(Path(study.build_root))
    found, remedy = _room(need, what, place)
    if remedy:
        return Finding("disk", "fail", found, remedy)
    if not os.access(place, os.W_OK):
        found = f"{place} cannot be written to"
        return Finding("disk", "fail", found, "set build_root to a folder of yours")
    return Finding("disk", "ok", found)


def _downloads(needs: Sequence[Need]) -> list[Finding]:
    total = sum(need.download for need in needs)
    if not total:
        return []
    from huggingface_hub import constants

    found, remedy = _room(total, "checkpoints to fetch", _existing(Path(constants.HF_HUB_CACHE)))
    remedy = remedy and "make room, or set HF_HOME to a larger disk"
    return [Finding("downloads", "fail" if remedy else "ok", found, remedy)]


def _room(need: float, what: str, place: Path) -> tuple[str, str]:
    free = shutil.disk_usage(place).free
    found = f"about {size(need)} for {what}, {size(free)} free at {place}"
    return found, "" if free > need else "make room, or set build_root to a larger disk"


def _existing(path: Path) -> Path:
    path = path.expanduser().absolute()
    return next(parent for parent in (path, *path.parents) if parent.exists())


def _time(study: Study, device: str | None) -> list[Finding]:
    """Return the time each model would take for all images, where it has run here before."""
    findings = []
    total, known = 0.0, 0
    for name, seconds in expected_seconds(study, device).items():
        if seconds is None:
            found = f"{name}: unknown until a first shard has run here"
        else:
            total, known = total + seconds, known + 1
            found = f"{name}: about {duration(seconds)} for all images, from earlier records"
        findings.append(Finding("time", "ok", found))
    if known:
        of = "all models" if known == len(findings) else f"{known} of {len(findings)} models"
        found = f"{of}: about {duration(total)}; what is recorded does not run again"
        findings.append(Finding("time", "ok", found))
    return findings


def _book() -> Finding:
    missing = [name for name in _TOOLS if importlib.util.find_spec(name) is None]
    if missing:
        return Finding("book", "fail", f"not installed: {', '.join(missing)}", "run `make env`")
    return Finding("book", "ok", "Jupyter Book and what it needs are installed")
