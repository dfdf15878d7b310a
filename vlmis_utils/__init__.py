"""Semantic misalignment of vision-language models under perceptual degradation: the library.

What a notebook or another project needs is here, by name; each is imported when first asked for:

>>> import vlmis_utils
>>> vlmis_utils.parse_safety("No. A pedestrian is crossing.")
'unsafe'
"""

from vlmis_utils.core.lazy import lazy

__version__ = "0.1.0"

# name -> the module of this package that defines it
_HOMES: dict[str, str] = {
    "CONDITIONS": "protocol.conditions",
    "confusion": "metrics.confusion",
    "corrupt": "corruptions.corrupt",
    "critical_omission_rate": "metrics.language",
    "hallucination_rate": "metrics.language",
    "iou": "metrics.segmentation",
    "load_study": "protocol.parameters",
    "mentions": "metrics.parsing.parse",
    "open_dataset": "datasets.registry",
    "open_results": "analysis.open_results",
    "parse_presence": "metrics.parsing.parse",
    "parse_safety": "metrics.parsing.parse",
    "safety_misinterpretation_rate": "metrics.language",
}

__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
