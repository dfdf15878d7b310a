"""``run.json``: parameters, versions, machine, models and times of a run, beside its tables."""

from __future__ import annotations

import json
from collections.abc import Mapping

from vlmis_utils.core.io import write_atomically
from vlmis_utils.core.storage import Place

__all__ = ["merge_run", "read_run"]


def read_run(records: Place) -> dict:
    """Return ``run.json`` of a study, empty where there is none or it is damaged."""
    try:
        return json.loads((records / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def merge_run(records: Place, changes: Mapping[str, object]) -> None:
    """Replace top-level keys of ``run.json``; keys of a mapping are replaced one by one."""
    run = read_run(records)
    for key, value in changes.items():
        old = run.get(key)
        merge = isinstance(value, Mapping) and isinstance(old, Mapping)
        run[key] = {**old, **value} if merge else value
    text = json.dumps(run, indent=2, ensure_ascii=False) + "\n"
    write_atomically(records / "run.json", text.encode())
