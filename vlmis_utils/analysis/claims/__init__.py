"""The empirical claims of the paper, judged on its printed tables and on the records of a run.

One rule (`decision`) judges all claims (`claims`) on both sources (`sources`). Verdicts are
computed; other parameters or models give others.
"""

from vlmis_utils.analysis.claims.claims import CLAIMS, Claim
from vlmis_utils.analysis.claims.decision import ALPHA, QUANTIFIERS, VERDICTS
from vlmis_utils.analysis.claims.sources import PRINTED_N
from vlmis_utils.analysis.claims.verdicts import (
    claim_cells,
    judge_claims,
    judge_tables,
    other_bounds,
)

__all__ = [
    "ALPHA", "CLAIMS", "PRINTED_N", "QUANTIFIERS", "VERDICTS", "Claim", "claim_cells",
    "judge_claims", "judge_tables", "other_bounds",
]  # fmt: skip
