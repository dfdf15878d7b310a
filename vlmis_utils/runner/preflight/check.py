"""What ``vlmis check`` looks at before any work: every problem at once, each with its remedy.

Nothing is rendered, downloaded or paid for, and no model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.protocol.study import Study
from vlmis_utils.runner.preflight.answers import answer_findings
from vlmis_utils.runner.preflight.dataset import dataset_findings
from vlmis_utils.runner.preflight.finding import Finding, failed, report
from vlmis_utils.runner.preflight.machine import machine_findings
from vlmis_utils.runner.preflight.models import model_findings
from vlmis_utils.runner.preflight.parameters import readable_study
from vlmis_utils.runner.preflight.remote import elsewhere_findings

__all__ = ["Finding", "check", "check_file", "failed", "report"]


def check_file(
    path: str | Path,
    overrides: Mapping[str, object] | None = None,
    page_keys: Callable[[], frozenset[str]] | None = None,
) -> list[Finding]:
    """Check a parameter file and the study it means, as far as the file can be read.

    Keys with a problem are reported and left out; what depends on them alone is not looked at.

    Args:
        path, overrides, page_keys: as of `protocol.parameters.load_study`.
    """
    study, findings, unread = readable_study(path, overrides, page_keys)
    return findings + check(study, unread)


def check(study: Study, unread: frozenset[str] = frozenset()) -> list[Finding]:
    """Look at dataset, models and machine for a study; no problem hides another.

    Args:
        study: to be run.
        unread: keys that could not be read, so that their default stands in the study.

    Returns:
        findings in the order dataset, models, machine, cluster and object store, and the
        answers that are recorded already.
    """
    findings = []
    if not unread & {"dataset", "class_map"}:
        findings += _guarded("dataset", lambda: dataset_findings(study))
    models, needs = model_findings(study)
    findings += models
    findings += machine_findings(study, needs)
    findings += elsewhere_findings(study)
    findings += _guarded("answers", lambda: answer_findings(study))
    return findings


def _guarded(topic: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except (UserError, RunError, OSError) as error:
        return [Finding.of(topic, error)]
