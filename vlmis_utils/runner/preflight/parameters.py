"""A parameter file with mistakes: all of them, and the study that the rest of it means."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.models import load_catalogue
from vlmis_utils.protocol.study import KEYS, Study, load_study
from vlmis_utils.runner.preflight.finding import Finding

__all__ = ["readable_study"]

PageKeys = Callable[[], frozenset[str]] | None

_TOPIC = "parameters"
# Keys that only make sense together, in the order in which they are read.
_TOGETHER = (("models",), ("dataset", "class_map"))
_LISTS = ("conditions", "segmenters", "vlms", "critical_classes")


def readable_study(
    path: str | Path, overrides: Mapping[str, object] | None = None, page_keys: PageKeys = None
) -> tuple[Study, list[Finding], frozenset[str]]:
    """Read a parameter file as far as it can be read.

    Args:
        path, overrides, page_keys: as of `protocol.study.load_study`.

    Returns:
        the study, without the models of a catalogue or a list that cannot be read; the findings;
        and the keys that were left out.
    """
    try:
        study = load_study(path, overrides, page_keys)
        return study, [Finding(_TOPIC, "ok", f"{path}: study {study.study}")], frozenset()
    except UserError as error:
        whole = Finding.of(_TOPIC, error, f"correct {path}")
    try:
        given = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError):
        given = None
    if not isinstance(given, dict):
        none = dataclasses.replace(Study(), segmenters=(), vlms=())
        return none, [whole], frozenset(KEYS)
    models = {"segmenters": list(Study.segmenters), "vlms": list(Study.vlms)}
    given = models | {str(key): value for key, value in given.items()} | dict(overrides or {})
    kept, problems, bad = _sorted(given, page_keys)
    none = {key: () for key in models if key not in kept}
    try:
        study = load_study(os.devnull, _named(kept) | kept, page_keys)
    except UserError:
        study, none = Study(), dict.fromkeys(models, ())
    findings = [_problem(path, text) for text in problems] or [whole]
    return dataclasses.replace(study, **none), findings, frozenset(bad)


def _sorted(
    given: Mapping[str, object], page_keys: PageKeys
) -> tuple[dict[str, object], list[str], set[str]]:
    """Return the pairs that can be read, what is wrong with the others, and their keys."""
    groups = [*_TOGETHER, *((key,) for key in given if key not in sum(_TOGETHER, ()))]
    kept: dict[str, object] = {}
    problems: list[str] = []
    bad: set[str] = set()

    def wrong(pairs: Mapping[str, object]) -> str:
        try:
            known = kept | dict(pairs)
            load_study(os.devnull, _named(known) | known, page_keys)
        except UserError as error:
            return str(error).removeprefix("-p: ").removeprefix(f"{os.devnull}: ")
        return ""

    for group in groups:
        pairs = {key: given[key] for key in group if key in given}
        if not pairs:
            continue
        message = wrong(pairs)
        if not message:
            kept |= pairs
            continue
        bad |= set(pairs)
        key, value = next(iter(pairs.items()))
        parts = {}
        if key in _LISTS and isinstance(value, list) and len(value) > 1:
            always = ["clean"] if key == "conditions" else []
            parts = {str(v): wrong({key: list(dict.fromkeys([*always, v]))}) for v in value}
        named = [text for text in parts.values() if text]
        problems += named or [message]
        rest = [name for name, text in parts.items() if not text]
        if named and rest and not wrong({key: rest}):
            kept[key] = rest
    return kept, problems, bad


def _named(given: Mapping[str, object]) -> dict[str, object]:
    """Return a model of each kind from the catalogue that is given, in place of the default ones.

    Raises:
        UserError: the catalogue cannot be read.
    """
    kinds: dict[str, object] = {}
    if isinstance(given.get("models"), str):
        for entry in load_catalogue(str(given["models"])).values():
            kinds.setdefault(f"{entry.kind}s", [entry.name])
    return kinds


def _problem(path: str | Path, text: str) -> Finding:
    return Finding(_TOPIC, "fail", f"{path}: {text}", "correct it, or leave the key out")
