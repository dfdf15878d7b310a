"""A parameter file with mistakes: all of them, and the study that the rest of it means."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.parameters import read_study
from vlmis_utils.protocol.study import KEYS, Study
from vlmis_utils.runner.preflight.finding import Finding

__all__ = ["readable_study"]

_TOPIC = "parameters"


def readable_study(
    path: str | Path,
    overrides: Mapping[str, object] | None = None,
    page_keys: Callable[[], frozenset[str]] | None = None,
) -> tuple[Study, list[Finding], frozenset[str]]:
    """Read a parameter file as far as it can be read.

    Args:
        path, overrides, page_keys: as of `protocol.parameters.load_study`.

    Returns:
        the study, without the models of a catalogue or a list that cannot be read; the findings;
        and the keys that were left out.
    """
    try:
        draft = read_study(path, overrides, page_keys)
    except UserError as error:
        none = dataclasses.replace(Study(), segmenters=(), vlms=())
        return none, [Finding.of(_TOPIC, error, f"correct {path}")], frozenset(KEYS)
    findings = [
        Finding(_TOPIC, "fail", f"{source}: {text}", "correct it, or leave the key out")
        for source, text in draft.problems
    ]
    fine = Finding(_TOPIC, "ok", f"{path}: study {draft.study.study}")
    return draft.study, findings or [fine], draft.wrong
