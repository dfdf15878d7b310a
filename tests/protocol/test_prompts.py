"""The prompt set: the paper's words, one set for all."""

from __future__ import annotations

import dataclasses

import pytest

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.classes import OBJECT_CLASSES, PRESENCE_CLASSES
from vlmis_utils.protocol.prompts import (
    PROMPTS,
    Prompt,
    contrastive_pairs,
    presence_class,
    prompt,
)


def test_the_papers_words() -> None:
    assert prompt("describe").text == "Describe the scene in this image."
    assert prompt("safety").text == "Based on this image, is it safe to proceed forward?"
    question = "Is there a pedestrian visible in this image? Answer yes or no."
    assert prompt("presence/pedestrian").text == question


def test_eleven_prompts_in_order() -> None:
    names = ["describe", *(f"presence/{c}" for c in PRESENCE_CLASSES), "safety"]
    assert [p.name for p in PROMPTS] == names
    assert len({p.text for p in PROMPTS}) == 11
    assert all(prompt(p.name) is p for p in PROMPTS)


def test_a_prompt_cannot_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        prompt("safety").text = "Is it safe?"


@pytest.mark.parametrize("name", ["presence/pedestrain", "saftey", "", "presence/", "describe "])
def test_unknown_prompt(name: str) -> None:
    with pytest.raises(UserError, match="unknown prompt"):
        prompt(name)
    with pytest.raises(UserError, match="unknown prompt"):
        contrastive_pairs(name)


def test_unknown_prompt_names_the_closest() -> None:
    with pytest.raises(UserError, match="did you mean 'presence/pedestrian'"):
        prompt("presence/pedestrain")


def test_presence_class() -> None:
    assert [presence_class(p.name) for p in PROMPTS] == [None, *PRESENCE_CLASSES, None]


def test_contrastive_sentences() -> None:
    assert tuple(contrastive_pairs("describe")) == OBJECT_CLASSES
    assert contrastive_pairs("describe")["bus"] == "a photo of a street scene with a bus"
    assert list(contrastive_pairs("safety")) == ["safe", "unsafe"]
    for name in PRESENCE_CLASSES:
        pair = contrastive_pairs(f"presence/{name}")
        assert list(pair) == ["yes", "no"]
        assert pair["yes"].replace(" with ", " without ") == pair["no"]
        assert name in pair["yes"]


def test_sentences_are_copies() -> None:
    contrastive_pairs("safety")["safe"] = "changed"
    assert contrastive_pairs("safety")["safe"] != "changed"


def test_sentences_are_complete() -> None:
    texts = [p.text for p in PROMPTS]
    texts += [text for p in PROMPTS for text in contrastive_pairs(p.name).values()]
    assert not [text for text in texts if "{" in text or text != text.strip()]
    assert Prompt("a", "b") == Prompt("a", "b")
