"""Vision-language models under test: one protocol, three kinds, loaded by the library they need.

Every model sees only the (degraded) image and the fixed prompts (Section 5.3 of the paper), and
returns raw answers: text from generative models and hosted ones, labels with scores from
contrastive ones. `metrics.parsing.parse` reads them afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from vlmis_utils.core.errors import UserError, closest

if TYPE_CHECKING:
    import torch

    from vlmis_utils.models.vlm.response_cache import Replies
    from vlmis_utils.protocol.answer import Answer
    from vlmis_utils.protocol.models import ModelEntry
    from vlmis_utils.protocol.prompts import Prompt

__all__ = ["LIBRARIES", "Paid", "Vlm", "load_vlm"]

LIBRARIES: tuple[str, ...] = ("open_clip", "transformers-vlm", "openai")


@runtime_checkable
class Vlm(Protocol):
    """A vision-language model.

    A local one also has ``commit``, of the hub repository that it came from (or None), and
    ``visual_tokens(height, width)``, how many tokens or patches it makes of an image of that size;
    a run records both.

    Attributes:
        digest: hex digest of all that determines an answer: weights, decoding, sentences.
    """

    digest: str

    def answer(self, images: torch.Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        """Answer each prompt about each image.

        Args:
            images: uint8 (B, 3, H, W) in [0, 255], RGB.
            prompts: the questions, of `protocol.prompts.PROMPTS`.

        Returns:
            B lists (images) of len(prompts) answers.
        """
        ...


@runtime_checkable
class Paid(Protocol):
    """A hosted model, whose replies a study keeps, counts and limits."""

    def keep_replies(self, replies: Replies) -> None:
        """Use the replies of a study: those it has are not asked for again."""
        ...


def load_vlm(entry: ModelEntry, device: str = "cpu") -> Vlm:
    """Load the VLM of a catalogue entry; its library is imported only now.

    Args:
        entry: from `protocol.models.load_catalogue`, with ``kind`` "vlm".
        device: where it runs, such as "cpu" or "cuda:0"; hosted models ignore it.

    Raises:
        UserError: the entry is no VLM, or its library is unknown.
    """
    if entry.kind != "vlm":
        raise UserError(f"model {entry.name!r} is a {entry.kind}, not a vlm: list it elsewhere")
    if entry.library == "open_clip":
        from vlmis_utils.models.vlm.contrastive import load_contrastive

        return load_contrastive(entry, device)
    if entry.library == "transformers-vlm":
        from vlmis_utils.models.vlm.generative_loading import load_generative

        return load_generative(entry, device)
    if entry.library == "openai":
        from vlmis_utils.models.vlm.openai_api import load_api

        return load_api(entry, device)
    raise UserError(
        f"model {entry.name!r}: unknown vlm library {entry.library!r}"
        f"{closest(entry.library, LIBRARIES)}"
    )
