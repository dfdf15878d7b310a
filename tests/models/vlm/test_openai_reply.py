"""Replies as servers really send them: none raises, none loses a word."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmis_utils.models.vlm.openai_remarks import remarks
from vlmis_utils.models.vlm.openai_reply import Reply, first_words, read_reply, well_formed

CAR = "A car."


def body(message: object, finish: object = "stop", **more: object) -> str:
    return json.dumps({"choices": [{"message": message, "finish_reason": finish}], **more})


@pytest.mark.parametrize(
    "content",
    [
        CAR,
        [{"type": "text", "text": CAR}],
        [{"type": "text", "text": "A "}, {"type": "text", "text": "car."}],
        [{"type": "output_text", "text": CAR, "annotations": []}],
        [{"text": CAR}],
        [CAR],
        {"type": "text", "text": CAR},
        [{"type": "text", "text": {"value": CAR}}],
        [{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": CAR}, None],
        [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
         {"type": "text", "text": CAR}],
        [{"type": "reasoning", "text": "Hm"}, {"type": "text", "text": CAR}],
    ],
)  # fmt: skip
def test_content_in_every_form(content: object) -> None:
    assert read_reply(body({"content": content})).text == CAR


@pytest.mark.parametrize(
    "message",
    [
        {"content": CAR, "reasoning_content": "No. Yes."},
        {"content": CAR, "reasoning": "No. Yes."},
        {"content": CAR, "reasoning_content": "No. Yes.", "reasoning": "No. Yes."},
        {"content": CAR, "thinking": "No. Yes."},
        {"content": CAR, "reasoning": {"text": "No. Yes."}},
        {"content": CAR, "reasoning_details": [{"type": "reasoning.text", "text": "No. Yes."}]},
        {"content": CAR, "reasoning_details": [{"type": "reasoning.summary",
                                                "summary": "No. Yes."}]},
        {"content": [{"type": "thinking", "thinking": "No. Yes."}, {"type": "text", "text": CAR}]},
    ],
)  # fmt: skip
def test_reasoning_beside_the_answer(message: dict) -> None:
    reply = read_reply(body(message))
    assert (reply.text, reply.reasoning) == (CAR, "No. Yes.")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("stop", "stop"), ("STOP", "stop"), ("end_turn", "stop"), ("eos_token", "stop"),
        ("length", "length"), ("MAX_TOKENS", "length"), ("max_tokens", "length"),
        ("FINISH_REASON_MAX_TOKENS", "length"), ("model_length", "length"),
        ("content_filter", "filtered"), ("SAFETY", "filtered"), ("RECITATION", "filtered"),
        ("PROHIBITED_CONTENT", "filtered"), ("IMAGE_SAFETY", "filtered"), ("SPII", "filtered"),
        ("sensitive", "filtered"), ("refusal", "refused"), ("tool_calls", "tool_calls"),
        ("abort", "abort"), (None, None), (7, "7"),
    ],
)  # fmt: skip
def test_why_a_text_ended(given: object, expected: str | None) -> None:
    reply = read_reply(body({"content": CAR}, given))
    assert reply.finish_reason == expected
    assert reply.text == (f"[content filter] {CAR}" if expected == "filtered" else CAR)


def test_a_refusal_is_marked_in_every_form() -> None:
    for message in (
        {"content": None, "refusal": "I will not."},
        {"content": "", "refusal": "I will not."},
        {"content": [{"type": "refusal", "refusal": "I will not."}]},
    ):
        reply = read_reply(body(message))
        assert (reply.text, reply.finish_reason) == ("[refusal] I will not.", "refused")


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 4,
          "completion_tokens_details": {"reasoning_tokens": 3}}, (9, 4, 3)),
        ({"input_tokens": 9, "output_tokens": 4,
          "output_tokens_details": {"reasoning_tokens": 0}}, (9, 4, 0)),
        ({"prompt_tokens": 9.0, "completion_tokens": 4, "reasoning_tokens": 3}, (9, 4, 3)),
        ({"prompt_tokens": -1, "completion_tokens": "4", "completion_tokens_details": []},
         (None, None, None)),
        ({"prompt_tokens": True, "completion_tokens": math.nan}, (None, None, None)),
        (None, (None, None, None)), ("much", (None, None, None)),
    ],
)  # fmt: skip
def test_tokens_in_every_form(usage: object, expected: tuple) -> None:
    reply = read_reply(body({"content": CAR}, usage=usage))
    assert (reply.prompt_tokens, reply.answer_tokens, reply.reasoning_tokens) == expected


def test_a_blocked_prompt_has_no_choices() -> None:
    told = {"choices": [], "promptFeedback": {"blockReason": "SAFETY"}}
    assert read_reply(json.dumps(told)).finish_reason == "filtered"
    assert read_reply('{"choices": []}') == Reply("", finish_reason="no choices")


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["message", "content", "type", "text", "refusal", "reasoning", "logprobs",
                         "top_logprobs", "token", "logprob", "finish_reason", "thinking"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(choices=values, usage=values)
def test_no_reply_raises(choices: object, usage: object) -> None:
    reply = read_reply(json.dumps({"choices": choices, "usage": usage}))
    assert isinstance(reply.text, str)
    well_formed(reply.text).encode()
    for p in (reply.p_yes, reply.p_no):
        assert p is None or 0 <= p <= 1
    list(remarks(reply, 8, "k"))


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "[" * 100_000, '{"choices": [[[]]]}'])
def test_what_is_no_completion_is_unreadable_and_does_not_raise(text: str) -> None:
    reply = read_reply(text)
    assert reply.text == "" and reply.finish_reason in ("unreadable", "no choices")


@pytest.mark.parametrize("logprob", [math.nan, math.inf, 5.0, "x", None, True])
def test_numbers_that_are_no_probabilities_are_not_told(logprob: object) -> None:
    tops = [{"token": "Yes", "logprob": logprob}, {"token": "No", "logprob": -1.0}]
    assert first_words({"logprobs": {"content": [{"top_logprobs": tops}]}}) == (None, None)


def test_a_token_that_cannot_come_has_probability_zero() -> None:
    tops = [{"token": "Yes", "logprob": -math.inf}, {"token": "no", "logprob": 0.0}]
    assert first_words({"logprobs": {"content": [{"top_logprobs": tops}]}}) == (0.0, 1.0)


@pytest.mark.parametrize("text", ["\ud83d", "a\udc00b", "\ud83d\ude97", "\udce9t\udce9", "plain é"])
def test_every_text_can_be_encoded(text: str) -> None:
    whole = well_formed(text)
    whole.encode()
    assert len(whole) == len(text) - (text == "\ud83d\ude97")
    assert well_formed(whole) == whole
    assert (whole == text) == (text == "plain é")


@pytest.mark.parametrize(
    ("reply", "kinds"),
    [
        (Reply(CAR, finish_reason="stop"), []),
        (Reply("", finish_reason="length", reasoning="Hm"), ["empty"]),
        (Reply("<think>Is it a bus", finish_reason="length"), ["empty"]),
        (Reply("", finish_reason="stop"), ["empty"]),
        (Reply("A ca", finish_reason="length"), ["cut"]),
        (Reply("[content filter]", finish_reason="filtered", reason="flagged"), ["declined"]),
        (Reply("half \ud83d", finish_reason="stop"), ["character"]),
        (Reply("it says sk-12345678", finish_reason="stop"), ["key"]),
    ],
)
def test_what_is_remarked(reply: Reply, kinds: list[str]) -> None:
    assert [kind for kind, _ in remarks(reply, 64, "sk-12345678")] == kinds
    assert all("sk-12345678" not in text for _, text in remarks(reply, 64, "sk-12345678"))
