"""The paper's claims as finished cells of the book's tables."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis.claims.decision import VERDICTS
from vlmis_utils.core.formatting import listing, number

__all__ = ["account", "load_bounds", "load_cells", "load_claims", "tally"]

_WORDS = {"supports": "for", "contradicts": "against", "open": "open"}


def account(cells: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Return how many cells of each model are for, against and open, in words.

    >>> from vlmis_utils.analysis.claims.decision import Cell, judge
    >>> account(judge([Cell("clip", "LL1", 0.2, 0.01), Cell("clip", "LL2", 0.1, 0.2)]), {})
    'clip 1 for, 1 open'
    """
    if not len(cells):
        return "no number bears on it"
    parts = []
    for model, rows in cells.groupby("model", sort=False):
        counts = [
            f"{int((rows.verdict == word).sum())} {shown}"
            for word, shown in _WORDS.items()
            if (rows.verdict == word).any()
        ]
        name = listing([labels.get(m, m) for m in str(model).split(" and ")])
        parts.append(f"{name} {', '.join(counts)}")
    return "; ".join(parts)


def tally(frame: pd.DataFrame) -> list[str]:
    """Return, for the printed tables and for the run, how many claims get which verdict.

    Args:
        frame: from `analysis.claims.judge_claims`.
    """
    lines = []
    for column, words in (("printed", "The **printed tables**"), ("run", "**This run**")):
        counts = [int((frame[column] == word).sum()) for word in VERDICTS]
        lines.append(
            f"{words}: {counts[0]} of {len(frame)} claims supported, {counts[1]} contradicted, "
            f"{counts[2]} not decidable."
        )
    decided = frame[(frame.printed != VERDICTS[2]) & (frame.run != VERDICTS[2])]
    same = int((decided.printed == decided.run).sum())
    lines.append(
        f"Where both decide ({len(decided)} claims), they agree on {same}."
        if len(decided)
        else "There is no claim that both decide."
    )
    return lines


def load_cells(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return every cell of every claim: claim, source, model, what, value, p (Holm), verdict.

    Args:
        frame: from `analysis.claims.judge_claims`.
        labels: model name to label.
    """
    rows = []
    for index, row in enumerate(frame.itertuples(), start=1):
        for source, cells in (("printed", row.printed_cells), ("run", row.run_cells)):
            for cell in cells.itertuples():
                model = listing([labels.get(m, m) for m in str(cell.model).split(" and ")])
                p = "–" if cell.adjusted != cell.adjusted else f"{cell.adjusted:.3f}"
                rows.append(
                    (str(index), source, model, cell.what, number(cell.value), p, cell.verdict)
                )
    columns = ["claim", "source", "model", "what", "value", "p", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def load_claims(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the claims as finished cells: number, claim, test (and where to see it), printed, run.

    Args:
        frame: from `analysis.claims.judge_claims`.
        labels: model name to label.
    """
    rows = []
    for index, row in enumerate(frame.itertuples(), start=1):
        cells = [
            f"[{word}]{{.{_style(word)}}} {account(found, labels)}"
            for word, found in ((row.printed, row.printed_cells), (row.run, row.run_cells))
        ]
        claim = row.claim
        rows.append(
            (
                str(index),
                f"“{claim.clause}” [{claim.place}]{{.interval}}",
                f"{claim.rule}: *{claim.quantifier}* [{claim.see}]{{.interval}}",
                *cells,
            )
        )
    return pd.DataFrame(rows, columns=["number", "claim", "test", "printed", "run"])


def _style(word: str) -> str:
    return dict(zip(VERDICTS, ("supported", "contradicted", "undecided"), strict=True))[word]


def load_bounds(frame: pd.DataFrame) -> pd.DataFrame:
    """Return how verdicts move with the other bound: claim, word, bounds, and a verdict for each.

    Args:
        frame: from `analysis.claims.other_bounds`.
    """
    names = {"printed": "printed tables", "run": "this run"}
    cells = {
        "claim": [f"“{claim.clause}” [{claim.place}]{{.interval}}" for claim in frame.claim],
        "word": frame.word.to_list(),
        "bound": frame.value.to_list(),
        "other": frame.other.to_list(),
    }
    for source in (name for name in names if name in frame):
        pairs = zip(frame[source], frame[f"{source}_other"], strict=True)
        cells[names[source]] = [
            f"[{own}]{{.{_style(own)}}}" + ("" if own == other else f" → {other}")
            for own, other in pairs
        ]
    return pd.DataFrame(cells)
