"""The claims ledger: every empirical claim of the paper, its printed numbers, and this run.

One rule (`rules`) judges all claims (`claims`) on both sources (`sources`): the printed tables and
the records of a run. Verdicts are computed; other parameters or models give another ledger.
"""

from vlmis_utils.ledger.claims import CLAIMS, Claim
from vlmis_utils.ledger.rules import ALPHA, QUANTIFIERS, VERDICTS, Cell, judge, verdict
from vlmis_utils.ledger.sources import PRINTED_N, PrintedTables, Run, Source
from vlmis_utils.ledger.table import account, ledger, load_cells, load_ledger, tally

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
    "account",
    "judge",
    "ledger",
    "load_cells",
    "load_ledger",
    "tally",
    "verdict",
]
