"""Semantic misalignment of vision-language models under perceptual degradation: the library.

What a notebook or another project needs is here, by name; each is imported when first asked for:

>>> import vlmis_utils
>>> vlmis_utils.parse_safety("No. A pedestrian is crossing.")
'unsafe'
"""

from importlib import import_module

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


def __getattr__(name: str) -> object:
    """Import one of the public names (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Name what is here, imported or not."""
    return sorted({*globals(), *__all__})
