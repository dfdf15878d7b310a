"""One thing that a check found, and how findings are printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Status", "failed", "report", "size"]

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        topic: what was looked at, such as ``dataset`` or the name of a model.
        status: ok; warn: the study runs, but perhaps not as meant; fail: it would stop.
        found: in one line.
        remedy: what to do, in one line; empty where nothing is to be done.
    """

    topic: str
    status: Status
    found: str
    remedy: str = ""

    @classmethod
    def of(cls, topic: str, error: Exception, remedy: str = "") -> Finding:
        """Return the failure that an error stands for.

        A message of `core.errors` names the thing, a colon and the remedy; where it does
        not, ``remedy`` is taken.

        >>> Finding.of("dataset", ValueError("no folder /x: set data_root")).remedy
        'set data_root'
        """
        text = " ".join(str(error).split())
        text = re.sub(rf"^model {re.escape(repr(topic))}:? ", "", text)
        for colon in re.finditer(": ", text):
            found, own = text[: colon.start()], text[colon.end() :]
            inside = found.count("'") % 2 or found.count("(") > found.count(")")
            if " " in found and not inside:
                return cls(topic, "fail", found, own)
        return cls(topic, "fail", text, remedy)


def failed(findings: Iterable[Finding]) -> bool:
    """Whether anything would stop the study."""
    return any(finding.status == "fail" for finding in findings)


def report(findings: Sequence[Finding]) -> str:
    """Return a line for each finding, aligned, its remedy below it, and a sum at the end."""
    wide = max((len(finding.topic) for finding in findings), default=0)
    lines = []
    for finding in findings:
        lines.append(f"{finding.status:4}  {finding.topic:{wide}}  {finding.found}")
        if finding.remedy:
            lines.append(f"{'':4}  {'':{wide}}  -> {finding.remedy}")
    problems = sum(finding.status == "fail" for finding in findings)
    warnings = sum(finding.status == "warn" for finding in findings)
    counts = [_counted(problems, "problem"), _counted(warnings, "warning")]
    lines.append(f"{counts[0]}, {counts[1]}")
    return "\n".join(lines)


def _counted(count: int, word: str) -> str:
    return f"{count or 'no'} {word}{'' if count == 1 else 's'}"


def size(count: float) -> str:
    """Return a number of bytes in words.

    >>> size(950), size(4.8e6), size(16.6e9)
    ('1 kB', '5 MB', '16.6 GB')
    """
    if count < 1e6:
        return f"{max(1, round(count / 1e3))} kB"
    return f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"
