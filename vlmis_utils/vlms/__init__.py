"""Vision-language models under test: one protocol, three kinds, loaded by the library they need.

Every model sees only the (degraded) image and the fixed prompts (Section 5.3 of the paper), and
returns raw answers: text from generative models and hosted ones, labels with scores from
contrastive ones. `vlmis_utils.answers` reads them afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from vlmis_utils.errors import UserError, closest

if TYPE_CHECKING:
    import torch

    from vlmis_utils.catalogue import ModelEntry
    from vlmis_utils.prompts import Prompt
    from vlmis_utils.vlms.replies import Replies

__all__ = ["LIBRARIES", "Answer", "Paid", "Vlm", "load_vlm"]

LIBRARIES: tuple[str, ...] = ("open_clip", "transformers-vlm", "openai")


@dataclass(frozen=True)
class Answer:
    """What a VLM returned to one prompt about one image, unread.

    Attributes:
        text: the words of a generative model, exactly as decoded; None for contrastive models.
        labels: what a contrastive model compared: class names, (yes, no) or (safe, unsafe).
        scores: one logit for each label, in the model's own scale.
        p_yes, p_no: for a closed question to a generative model, the probabilities in [0, 1] that
            its text begins with the word yes, and no, in any spelling; None where not known. They
            read the model without its words, and so without a parser.
    """

    text: str | None = None
    labels: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    p_yes: float | None = None
    p_no: float | None = None


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
            prompts: the questions, of `vlmis_utils.prompts.PROMPTS`.

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
        entry: from `vlmis_utils.catalogue.load_catalogue`, with ``kind`` "vlm".
        device: where it runs, such as "cpu" or "cuda:0"; hosted models ignore it.

    Raises:
        UserError: the entry is no VLM, or its library is unknown.
    """
    if entry.kind != "vlm":
        raise UserError(f"model {entry.name!r} is a {entry.kind}, not a vlm: list it elsewhere")
    if entry.library == "open_clip":
        from vlmis_utils.vlms.contrastive import load_contrastive

        return load_contrastive(entry, device)
    if entry.library == "transformers-vlm":
        from vlmis_utils.vlms.generative import load_generative

        return load_generative(entry, device)
    if entry.library == "openai":
        from vlmis_utils.vlms.api import load_api

        return load_api(entry, device)
    raise UserError(
        f"model {entry.name!r}: unknown vlm library {entry.library!r}"
        f"{closest(entry.library, LIBRARIES)}"
    )
