"""Every finding of the audit as a sentence made from the computed numbers, with its command."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from vlmis_utils.analysis.paper.grim import PICTURES
from vlmis_utils.analysis.paper.tables import PUBLISHED
from vlmis_utils.core.formatting import listing
from vlmis_utils.report.text.paper import of_consistency, of_digits, of_text
from vlmis_utils.report.text.paper_rates import of_abstention, of_correlation, of_detection

__all__ = ["Finding", "findings", "places"]


@dataclass(frozen=True)
class Finding:
    """One finding about the printed tables.

    Attributes:
        key: its name, such as ``class-means``.
        place: which printed numbers are compared.
        statement: what they give, one or two sentences of Markdown.
        command: the function that reproduces it, such as ``paper.class_means()``.
        section: label of the section of the page that explains it.
    """

    key: str
    place: str
    statement: str
    command: str
    section: str

    @property
    def line(self) -> str:
        """The command as a line for a shell in the folder of the repository."""
        module = self.command.partition(".")[0]
        return f'python -c "from vlmis_utils.analysis import {module}; print({self.command})"'


def findings(n: int = PICTURES, folder: str | Path = PUBLISHED) -> list[Finding]:
    """Return all findings, in the order of the page.

    Args:
        n: pictures assumed behind a printed share, where counts are needed.
        folder: of the printed tables.
    """
    given = "" if n == PICTURES else f"n={n}"
    parts = (of_consistency, of_digits, of_correlation, of_detection, of_abstention, of_text)
    found = (Finding(*fields) for part in parts for fields in part(n, folder))
    return [replace(f, command=f.command.replace("(n)", f"({given})")) for f in found]


def places(found: list[Finding], section: str) -> str:
    """Return which numbers in the list of findings belong to a section: "2 and 3", or "7 to 10"."""
    numbers = [i for i, f in enumerate(found, 1) if f.section == section]
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    return listing(numbers)
