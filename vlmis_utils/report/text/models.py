"""What the project's own models of a run were trained on, in a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from vlmis_utils.protocol.models import ModelEntry

__all__ = ["training_words"]

# Where checkpoints of the project lie -> what trained them, in the order of training.
_SYNTHETIC = "vlmis_utils/training/checkpoints/"
_PHOTOGRAPHS = "vlmis_utils/training/cityscapes/checkpoints/"


def training_words(entries: Iterable[ModelEntry]) -> str:
    """Return which of a run's models the project trained, and on what.

    Args:
        entries: of the catalogue, the models of the run.

    >>> training_words([ModelEntry("m", "vlm", "open_clip", "vlmis_utils/training/checkpoints/m")])
    'The embedded models are small and were trained by us on clean scenes of StreetWorld alone.'
    """
    places = [entry.checkpoint for entry in entries]
    synthetic = any(place.startswith(_SYNTHETIC) for place in places)
    photographs = any(place.startswith(_PHOTOGRAPHS) for place in places)
    if not synthetic and not photographs:
        return "None of the models of this run was trained by us."
    start = "The embedded models are small and were trained by us on clean scenes of StreetWorld"
    if not photographs:
        return f"{start} alone."
    some = ", some of them" if synthetic else " and"
    return f"{start}{some} then on clean photographs of Cityscapes."
