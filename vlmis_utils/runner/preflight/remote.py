"""What a study needs beyond this machine: a Ray cluster that answers, a store that can be read."""

from __future__ import annotations

from vlmis_utils.core.errors import StopError, UserError
from vlmis_utils.core.storage import Remote
from vlmis_utils.protocol.study import Study
from vlmis_utils.runner.preflight.finding import Finding

__all__ = ["elsewhere_findings"]


def elsewhere_findings(study: Study) -> list[Finding]:
    """Return what is found about cluster and object store; nothing of a study that needs neither.

    The cluster is not joined, only looked for; the store is asked once.
    """
    findings = []
    if study.engine == "ray":
        from vlmis_utils.runner.ray.connection import reachable

        try:
            findings.append(Finding("cluster", "ok", reachable()))
        except UserError as error:
            findings.append(Finding.of("cluster", error))
    if isinstance(study.store, Remote):
        try:
            findings.append(_store(study.store))
        except (UserError, StopError) as error:
            findings.append(Finding.of("records", error))
    return findings


def _store(store: Remote) -> Finding:
    bucket = Remote("/".join(store.url.split("/")[:3]))
    if not bucket.exists():
        return Finding("records", "fail", f"{bucket} is not there", "create it")
    found = "holds records" if store.exists() else "is still empty"
    return Finding("records", "ok", f"{store} {found}")
