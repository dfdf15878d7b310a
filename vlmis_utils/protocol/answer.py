"""What a model returns to one prompt about a picture, unread: models write it, parsers read it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FILTERED", "REFUSAL", "Answer"]

# Hosted models can decline. Such an answer is recorded as text with one of these in front, and
# read as no answer: nothing mentioned, unknown, abstain.
REFUSAL = "[refusal]"
FILTERED = "[content filter]"


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
