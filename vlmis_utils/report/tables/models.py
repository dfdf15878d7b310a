"""The table of models: what each is, under which licence, and exactly which checkpoint was run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from vlmis_utils.core.formatting import number
from vlmis_utils.metrics.answer_states import STATES
from vlmis_utils.models.checkpoints import count_parameters
from vlmis_utils.protocol.models import ModelEntry, checkpoint_path

__all__ = ["load_answer_states", "load_models"]

_EMBEDDED = "vlmis_utils/"
# Hexadecimal digits of a commit or digest that a cell shows.
_SHORT = 10


def load_models(
    catalogue: Mapping[str, ModelEntry], names: Sequence[str], run: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """Return a row a model: its name, licence, parameters, visual tokens, checkpoint and revision.

    Parameters are counted where the checkpoint lies in this repository, else as the catalogue
    states them. Visual tokens are those that the run counted for its images; where it counted none,
    what the catalogue states.

    Args:
        catalogue: of `protocol.models.load_catalogue`.
        names: of models in it, in the order of the rows.
        run: ``run.json`` of a study, see `records.run_info.read_run`; none by default.
    """
    known = (run or {}).get("models", {})
    rows = []
    for name in names:
        entry, facts = catalogue[name], known.get(name, {})
        rows.append(
            {
                "model": entry.shown,
                "licence": entry.licence or "–",
                "parameters": _parameters(entry),
                "visual tokens": _tokens(entry, facts.get("visual_tokens") or {}),
                "checkpoint": _checkpoint(entry),
                "revision": _revision(entry, facts),
            }
        )
    return pd.DataFrame(rows)


def _parameters(entry: ModelEntry) -> str:
    if entry.checkpoint.startswith(_EMBEDDED):
        path = checkpoint_path(entry)
        return f"{count_parameters(path) / 1e6:.1f} M" if path is not None else "–"
    return entry.parameters or "–"


def _tokens(entry: ModelEntry, counted: Mapping[str, int | None]) -> str:
    tokens = sorted({value for value in counted.values() if value is not None})
    if not tokens:
        return entry.visual_tokens or "–"
    return str(tokens[0]) if len(tokens) == 1 else f"{tokens[0]} to {tokens[-1]}"


def _checkpoint(entry: ModelEntry) -> str:
    if entry.checkpoint.startswith(_EMBEDDED):
        return "in this repository"
    return f"`{entry.checkpoint}`" + (", hosted" if entry.library == "openai" else "")


def _revision(entry: ModelEntry, facts: Mapping[str, Any]) -> str:
    commit = facts.get("commit") or entry.revision
    if commit:
        return f"`{commit[:_SHORT]}`"
    if entry.library == "openai":
        return "–"
    if entry.checkpoint.startswith(_EMBEDDED) and facts.get("digest"):
        return f"`{facts['digest'][:_SHORT]}`"
    return "–" if entry.checkpoint.startswith(_EMBEDDED) else "not pinned"


def load_answer_states(counts: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return how many answers of each VLM are none or not whole, and how long answers are.

    Args:
        counts: of `metrics.answer_states.count_states`, by VLM.
        labels: model to the name shown.
    """
    table = {"VLM": [labels.get(vlm, vlm) for vlm in counts.vlm], "answers": counts.answers}
    heads = {"not_finite": "no finite scores"}
    table |= {heads.get(state, state): counts[state] for state in STATES}
    table["tokens an answer"] = counts.completion_tokens.map(lambda n: number(n, 1))
    table["of these reasoning"] = counts.reasoning_tokens.map(lambda n: number(n, 1))
    return pd.DataFrame(table).astype(str)
