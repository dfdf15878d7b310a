"""Parser validation: the rules on labelled sentences, and against a reading without a parser.

`accuracy` has the quality of each rule by phenomenon, `consequences` what misreading would do to
the rates, `rereading` what it does to those of a run; `first_token` reads the probabilities of yes
and no instead of the text, `calibration` asks whether they mean what they say.
"""

from vlmis_utils.core.lazy import lazy

# Module to what can be imported from here.
_HOMES = {
    "accuracy": "ALL CLOSED_RULES closed_quality confusions gains mention_quality read_closed",
    "calibration": "confidence reliability",
    "consequences": "imagined_rates telling",
    "first_token": "agreement coverage discrimination disputed first_tokens",
    "rereading": "EVERY contents reading_effects",
}

__all__, __getattr__, __dir__ = lazy(__name__, _HOMES)
