"""Parser validation: the rules on labelled sentences, and against a reading without a parser.

`accuracy` has the quality of each rule by phenomenon, `consequences` what misreading would do to
the rates, `rereading` what it does to those of a run; `first_token` reads the probabilities of yes
and no instead of the text, `calibration` asks whether they mean what they say.
"""

from vlmis_utils.analysis.parser_study.accuracy import (
    ALL,
    CLOSED_RULES,
    closed_quality,
    confusions,
    gains,
    mention_quality,
    read_closed,
)
from vlmis_utils.analysis.parser_study.calibration import confidence, reliability
from vlmis_utils.analysis.parser_study.consequences import imagined_rates, telling
from vlmis_utils.analysis.parser_study.first_token import (
    agreement,
    coverage,
    discrimination,
    disputed,
    first_tokens,
)
from vlmis_utils.analysis.parser_study.rereading import (
    EVERY,
    contents,
    reading_effects,
)

__all__ = [
    "ALL", "CLOSED_RULES", "EVERY", "agreement", "closed_quality", "confidence", "confusions",
    "contents", "coverage", "discrimination", "disputed", "first_tokens", "gains",
    "imagined_rates", "mention_quality", "read_closed", "reading_effects", "reliability", "telling",
]  # fmt: skip
