"""The verdicts on all claims: on the printed tables, on a run, and with other bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from vlmis_utils.analysis.claims.claims import CLAIMS, Claim
from vlmis_utils.analysis.claims.decision import judge, verdict
from vlmis_utils.analysis.claims.sources import PrintedTables, Run, Source
from vlmis_utils.analysis.paper.bounds import BOUNDS
from vlmis_utils.analysis.paper.tables import PUBLISHED
from vlmis_utils.analysis.results import Results

__all__ = ["claim_cells", "judge_claims", "judge_tables", "other_bounds"]


def judge_claims(
    results: Results, labels: Mapping[str, str], claims: Sequence[Claim] = CLAIMS
) -> pd.DataFrame:
    """Judge every claim about the world on the printed tables and on a run.

    Args:
        results: the run, read one way.
        labels: model name to label.
        claims: which; those about the paper's own numbers are left out.

    Returns:
        One row a claim: claim (a `Claim`), printed and run (verdicts of
        `analysis.claims.decision.VERDICTS`), printed_cells and run_cells (frames of `judge`).
    """
    sources: dict[str, Source] = {"printed": PrintedTables(), "run": Run(results, labels)}
    rows = []
    for claim in claims:
        if claim.tables_only:
            continue
        row: dict[str, object] = {"claim": claim}
        for name, source in sources.items():
            cells = judge(claim.cells(source))
            row[name], row[f"{name}_cells"] = verdict(cells, claim.quantifier), cells
        rows.append(row)
    columns = ["claim", "printed", "printed_cells", "run", "run_cells"]
    return pd.DataFrame(rows, columns=columns)


def claim_cells(source: Source, claims: Sequence[Claim] = CLAIMS) -> pd.DataFrame:
    """Return the cells of every claim about the world, before they are judged.

    Returns:
        claim (its place in ``claims``), model, what, value, error: see `decision.Cell`.
    """
    rows = [
        {"claim": place} | asdict(cell)
        for place, claim in enumerate(claims)
        if not claim.tables_only
        for cell in claim.cells(source)
    ]
    return pd.DataFrame(rows, columns=["claim", "model", "what", "value", "error"])


def judge_tables(folder: str | Path = PUBLISHED, claims: Sequence[Claim] = CLAIMS) -> pd.DataFrame:
    """Hold every claim against the printed cells at face value: do text and tables agree?

    No sampling error is asked about: a printed number counts as the number itself.

    Args:
        folder: of the printed tables.
        claims: which.

    Returns:
        place, clause, rule, quantifier; holds (cells for the claim) of cases (cells with a
        number); lowest and highest margin of a cell, above zero where it is for the claim;
        verdict.
    """
    source = PrintedTables(folder=folder)
    rows = []
    for claim in claims:
        cells = judge(replace(cell, error=0.0) for cell in claim.cells(source))
        cells = cells.dropna(subset=["value"])
        holds = int((cells.verdict == "supports").sum())
        rows.append(
            (claim.place, claim.clause, claim.rule, claim.quantifier, holds, len(cells),
             cells.value.min(), cells.value.max(), verdict(cells, claim.quantifier))
        )  # fmt: skip
    columns = ["place", "clause", "rule", "quantifier", "holds", "cases", "lowest", "highest",
               "verdict"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def other_bounds(
    results: Results | None = None,
    labels: Mapping[str, str] | None = None,
    claims: Sequence[Claim] = CLAIMS,
) -> pd.DataFrame:
    """Return how the verdicts would move with the other bound of each word of degree.

    Args:
        results, labels: of a run; without one only the printed tables are judged.
        claims: which; those without a bound are left out.

    Returns:
        claim, word (of the bounds), value, other; and for each source (printed, run) its verdict
        under both, ``printed`` and ``printed_other``, ``run`` and ``run_other``.
    """
    sources: dict[str, Source] = {"printed": PrintedTables()}
    if results is not None:
        sources["run"] = Run(results, labels or {})
    rows = []
    for claim in (claim for claim in claims if claim.bounds):
        used = [BOUNDS[key] for key in claim.bounds]
        row: dict[str, object] = {
            "claim": claim, "word": ", ".join(b.word for b in used),
            "value": ", ".join(f"{b.value:g}" for b in used),
            "other": ", ".join(f"{b.other:g}" for b in used),
        }  # fmt: skip
        others = {key: BOUNDS[key].other for key in claim.bounds}
        for name, source in sources.items():
            row[name] = verdict(judge(claim.cells(source)), claim.quantifier)
            moved = judge(claim.cells(source, others))
            row[f"{name}_other"] = verdict(moved, claim.quantifier)
        rows.append(row)
    return pd.DataFrame(rows)
