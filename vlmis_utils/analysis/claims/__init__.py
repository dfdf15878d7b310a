"""The claims ledger: every empirical claim of the paper, its printed numbers, and this run.

One rule (`rules`) judges all claims (`claims`) on both sources (`sources`): the printed tables and
the records of a run. Verdicts are computed; other parameters or models give another ledger.
"""

from vlmis_utils.analysis.claims.claims import CLAIMS, Claim
from vlmis_utils.analysis.claims.decision import (
    ALPHA,
    QUANTIFIERS,
    VERDICTS,
    Cell,
    judge,
    verdict,
)
from vlmis_utils.analysis.claims.sources import PRINTED_N, PrintedTables, Run, Source

__all__ = [
    "ALPHA",
    "CLAIMS",
    "PRINTED_N",
    "QUANTIFIERS",
    "VERDICTS",
    "Cell",
    "Claim",
    "PrintedTables",
    "Run",
    "Source",
    "judge",
    "verdict",
]
