"""Semantic misalignment of vision-language models under perceptual degradation: the library.

What a notebook or another project needs is here, by name; each is imported when first asked for:

>>> import vlmis_utils
>>> vlmis_utils.parse_safety("No. A pedestrian is crossing.")
'unsafe'
"""

from vlmis_utils.core.lazy import lazy

__version__ = "0.1.0"

# Module to what can be imported from here.
_HOMES = {
    "analysis.open_results": "open_results",
    "corruptions.corrupt": "corrupt",
    "datasets.registry": "open_dataset",
    "metrics.confusion": "confusion",
    "metrics.language": "critical_omission_rate hallucination_rate safety_misinterpretation_rate",
    "metrics.parsing.parse": "mentions parse_presence parse_safety",
    "metrics.segmentation": "iou",
    "protocol.conditions": "CONDITIONS",
    "protocol.parameters": "load_study",
}

__all__, __getattr__, __dir__ = lazy(__name__, _HOMES)
