"""What a model returns to one prompt about a picture, unread: models write it, parsers read it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

__all__ = ["FILTERED", "NOT_FINITE", "REFUSAL", "Answer"]

# Hosted models can decline. Such an answer is recorded as text with one of these in front, and
# read as no answer: nothing mentioned, unknown, abstain.
REFUSAL = "[refusal]"
FILTERED = "[content filter]"

# The finish reason of an answer whose scores or probabilities are NaN or infinite.
NOT_FINITE = "not finite"


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
        reasoning: what a server gave as reasoning beside the answer; None where it gave none.
        finish_reason: why the text ended: ``stop``; ``length``, the limit of tokens; ``filtered``,
            by the host; ``refused``; ``not finite``, scores that are no numbers, and so no answer;
            any other word as the server gave it; None where not known.
        prompt_tokens, completion_tokens: tokens read (those of the image among them) and written.
        reasoning_tokens: those of the written ones that were reasoning, where a server tells.
        first_entropy, first_margin: of a generative model's first token: entropy by the log of the
            vocabulary's size, and the gap of the two greatest probabilities, both in [0, 1].
        embedding: what the model makes of the image before it is asked anything, with the answer to
            ``describe``: a contrastive model's unit vector; the mean of a generative one's visual
            tokens, where it reads an image once. These three are no part of what was answered:
            answers that differ in them only are equal.
    """

    text: str | None = None
    labels: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    p_yes: float | None = None
    p_no: float | None = None
    reasoning: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    first_entropy: float | None = field(default=None, compare=False)
    first_margin: float | None = field(default=None, compare=False)
    embedding: tuple[float, ...] | None = field(default=None, compare=False, repr=False)

    def finite(self) -> Answer:
        """Return the answer, or none in its place where a score or probability is no number.

        >>> Answer(labels=("yes", "no"), scores=(float("nan"), 0.0)).finite().finish_reason
        'not finite'
        """
        numbers = [*self.scores, *(p for p in (self.p_yes, self.p_no) if p is not None)]
        if all(map(math.isfinite, numbers)):
            return self
        return Answer(None if self.text is None else "", finish_reason=NOT_FINITE)
