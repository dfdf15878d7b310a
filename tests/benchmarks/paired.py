"""Timing two ways of doing one thing in turn, so that a machine whose speed drifts is fair to both.

A benchmark is a script ``bench_<name>.py`` whose ``main`` collects `Row`s and gives them to
`publish`, which prints the table and, called with ``--save``, keeps it for the book.
"""

from __future__ import annotations

import csv
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from vlmis_utils.core.provenance import machine

__all__ = ["Row", "keep", "paired", "publish"]

MEASURED = Path(__file__).resolve().parents[2] / "book" / "measured"


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        subject: what is done, a few words.
        inputs: on what: sizes, counts, threads.
        peer: the other way, with its library.
        ours_ms, peer_ms: medians of wall time, milliseconds.
        ratio: median over the rounds of peer / ours; above 1 we are faster.
        low, high: smallest and largest ratio of a round.
        goal: the ratio aimed at, None for none.
    """

    subject: str
    inputs: str
    peer: str
    ours_ms: float
    peer_ms: float
    ratio: float
    low: float
    high: float
    goal: float | None = None


def paired(
    subject: str,
    inputs: str,
    peer: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    rounds: int = 7,
    goal: float | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Row:
    """Time both once untimed, then in turn for ``rounds`` rounds, and return the comparison."""

    def seconds(work: Callable[[], object]) -> float:
        start = clock()
        work()
        return clock() - start

    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    ratios = [b / a for a, b in pairs]
    mine, others = (1000 * statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(ratios)
    return Row(subject, inputs, peer, mine, others, ratio, min(ratios), max(ratios), goal)


def publish(name: str, rows: Sequence[Row], arguments: Sequence[str] | None = None) -> None:
    """Print the rows; with ``--save`` among the arguments keep them in ``book/measured``.

    The file is ``<name>.csv``, a line for each row and the machine's name in its last column.
    """
    print(f"{'':<34}{'inputs':<28}{'peer':<34}{'ours ms':>10}{'peer ms':>10}  ratio (range), goal")
    for row in rows:
        met = (
            ""
            if row.goal is None
            else f", {'>=' if row.ratio >= row.goal else 'MISSED'} {row.goal:g}"
        )
        print(
            f"{row.subject:<34}{row.inputs:<28}{row.peer:<34}{row.ours_ms:>10.2f}{row.peer_ms:>10.2f}"
            f"  {row.ratio:.1f} ({row.low:.1f} to {row.high:.1f}){met}",
            flush=True,
        )
    if "--save" not in (sys.argv[1:] if arguments is None else arguments):
        return
    keep(name, [asdict(row) for row in rows])


def keep(name: str, lines: Sequence[Mapping[str, object]]) -> Path:
    """Write ``book/measured/<name>.csv``: the lines, and the machine's name in a last column."""
    facts = machine()
    words = f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB"
    MEASURED.mkdir(parents=True, exist_ok=True)
    path = MEASURED / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*lines[0], "machine"], lineterminator="\n")
        writer.writeheader()
        for line in lines:
            values = {k: _short(v) if isinstance(v, float) else v for k, v in line.items()}
            writer.writerow(values | {"machine": words})
    return path


def _short(value: float) -> float | str:
    """Three digits; nothing for what is not known."""
    return "" if value != value else round(value, 3)
