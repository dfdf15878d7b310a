"""The ledger as frames and as a table of the book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.claims.claims import CLAIMS, Claim
from vlmis_utils.analysis.claims.decision import VERDICTS, judge, verdict
from vlmis_utils.analysis.claims.sources import PrintedTables, Run, Source
from vlmis_utils.analysis.results import Results
from vlmis_utils.core.formatting import listing, number

__all__ = ["account", "ledger", "load_cells", "load_ledger", "tally"]

_WORDS = {"supports": "for", "contradicts": "against", "open": "open"}


def ledger(
    results: Results, labels: Mapping[str, str], claims: Sequence[Claim] = CLAIMS
) -> pd.DataFrame:
    """Judge every claim on the printed tables and on a run.

    Args:
        results: the run, read one way.
        labels: model name to label.
        claims: which.

    Returns:
        One row a claim: claim (a `Claim`), printed and run (verdicts of
        `analysis.claims.decision.VERDICTS`), printed_cells and run_cells (frames of `judge`).
    """
    sources: dict[str, Source] = {"printed": PrintedTables(), "run": Run(results, labels)}
    rows = []
    for claim in claims:
        row: dict[str, object] = {"claim": claim}
        for name, source in sources.items():
            cells = judge(claim.cells(source))
            row[name], row[f"{name}_cells"] = verdict(cells, claim.quantifier), cells
        rows.append(row)
    return pd.DataFrame(rows)


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
        frame: from `ledger`.
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
        frame: from `ledger`.
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


def load_ledger(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the ledger as finished cells: number, claim, test (and where to see it), printed, run.

    Args:
        frame: from `ledger`.
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
                f"{claim.test}: *{claim.quantifier}* [{claim.see}]{{.interval}}",
                *cells,
            )
        )
    return pd.DataFrame(rows, columns=["number", "claim", "test", "printed", "run"])


def _style(word: str) -> str:
    return dict(zip(VERDICTS, ("supported", "contradicted", "undecided"), strict=True))[word]
