"""What a study has recorded of its models' answers: how many are none, or not whole."""

from __future__ import annotations

from vlmis_utils.protocol.models import load_catalogue
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.store import read_table
from vlmis_utils.runner.answer_watch import summaries, summary_line
from vlmis_utils.runner.preflight.finding import Finding

__all__ = ["answer_findings"]


def answer_findings(study: Study) -> list[Finding]:
    """Return a warning for each model with answers that are empty, cut, filtered or declined.

    Nothing where no answer is recorded; ok where all are whole.

    Raises:
        RunError: the table is damaged.
    """
    if not (study.records / "answers.parquet").exists():
        return []
    catalogue = load_catalogue(study.models)
    findings = []
    for name, counts in summaries(read_table(study.records, "answers")).items():
        if name not in catalogue or name not in study.vlms:
            continue
        line = summary_line(catalogue[name], counts).removeprefix(f"{name}: ")
        found, _, remedy = line.partition(": ")
        whole = f"all {counts['answers']} recorded answers are whole"
        findings.append(Finding(f"answers of {name}", "warn" if line else "ok", found or whole,
                                remedy))  # fmt: skip
    return findings
