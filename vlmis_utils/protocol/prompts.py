"""The fixed prompt set of the paper's Section 4.2, one wording for every model and every condition.

Eleven prompts: one description, nine presence questions, one safety question, in the paper's words.
Contrastive models take no questions: they compare an image with the fixed sentences below
(Section 4.2 says only that prompts are fixed and zero-shot; these sentences are ours).
"""

from __future__ import annotations

from dataclasses import dataclass

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.protocol.classes import OBJECT_CLASSES, PRESENCE_CLASSES

__all__ = [
    "CONTRASTIVE_MENTION", "CONTRASTIVE_PRESENCE", "CONTRASTIVE_SAFETY", "DESCRIBE", "PRESENCE",
    "PROMPTS", "Prompt", "SAFETY", "contrastive_pairs", "presence_class", "prompt",
]  # fmt: skip

DESCRIBE = "Describe the scene in this image."
PRESENCE = "Is there a {c} visible in this image? Answer yes or no."
SAFETY = "Based on this image, is it safe to proceed forward?"

CONTRASTIVE_MENTION = "a photo of a street scene with a {c}"
CONTRASTIVE_PRESENCE = {
    "yes": "a photo of a street scene with a {c}",
    "no": "a photo of a street scene without a {c}",
}
CONTRASTIVE_SAFETY = {
    "safe": "a street scene where it is safe to proceed forward",
    "unsafe": "a street scene where it is not safe to proceed forward",
}


@dataclass(frozen=True)
class Prompt:
    """One question put to every VLM.

    Attributes:
        name: ``describe``, ``presence/<class>`` or ``safety``; the key in the records.
        text: the exact words, identical for every model and condition.
    """

    name: str
    text: str


PROMPTS: tuple[Prompt, ...] = (
    Prompt("describe", DESCRIBE),
    *(Prompt(f"presence/{c}", PRESENCE.format(c=c)) for c in PRESENCE_CLASSES),
    Prompt("safety", SAFETY),
)


def prompt(name: str) -> Prompt:
    """Return the prompt called ``name``.

    Raises:
        UserError: no such prompt; the message names the closest one.

    >>> prompt("presence/traffic light").text
    'Is there a traffic light visible in this image? Answer yes or no.'
    """
    for known in PROMPTS:
        if known.name == name:
            return known
    raise UserError(f"unknown prompt {name!r}{closest(name, [p.name for p in PROMPTS])}")


def presence_class(name: str) -> str | None:
    """Return the class that the prompt ``name`` asks about, or None for the other prompts.

    >>> presence_class("presence/cyclist"), presence_class("safety")
    ('cyclist', None)
    """
    return name.removeprefix("presence/") if name.startswith("presence/") else None


def contrastive_pairs(name: str) -> dict[str, str]:
    """Return label -> sentence: what a contrastive model compares with the image for a prompt.

    ``describe`` gives one sentence for each class of `OBJECT_CLASSES`, in that order; a presence
    prompt gives ``yes`` and ``no``; ``safety`` gives ``safe`` and ``unsafe``.

    Raises:
        UserError: no such prompt.

    >>> contrastive_pairs("presence/bus")["no"]
    'a photo of a street scene without a bus'
    """
    known = prompt(name).name
    if known == "describe":
        return {c: CONTRASTIVE_MENTION.format(c=c) for c in OBJECT_CLASSES}
    if known == "safety":
        return dict(CONTRASTIVE_SAFETY)
    asked = presence_class(known)
    return {label: text.format(c=asked) for label, text in CONTRASTIVE_PRESENCE.items()}
