"""Reasoning told apart from the answer, in every form that serving stacks hand out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmis_utils.protocol.reasoning import split_reasoning

THOUGHT = "Yes, a bus? The light is green."
ANSWER = "No, two cars."
T, A = THOUGHT, ANSWER
NAMES = ("think", "thinking", "thought", "reasoning", "THINK", "Thinking", "seed:think", "analysis",
         "scratchpad", "antThinking", "reflection")  # fmt: skip
CLOSED = [f"<{n}>{T}</{n}>{A}" for n in NAMES] + [
    f"<think>\n{T}\n</think>\n\n{A}",
    f"{T}\n</think>\n\n{A}",
    f"{T}</thinking>{A}",
    f"<think>\n<think>\n{T}</think>\n{A}",
    f"<think>{T}</think>{A}</think>",
    f'<think type="deep">{T}</think> {A}',
    f"<think>{T}</think><answer>{A}",
    f"&lt;think&gt;{T}&lt;/think&gt;{A}",
    f"\\u003cthink\\u003e{T}\\u003c/think\\u003e{A}",
    f"<think>{T}<\\think>{A}",
    f"[THINK]{T}[/THINK]{A}",
    f"◁think▷{T}◁/think▷{A}",
    f"{T}◁/think▷{A}",
    f"<|begin_of_thought|>{T}<|end_of_thought|>{A}",
    f"<|START_THINKING|>{T}<|END_THINKING|>{A}",
    f"<|think|>{T}<|/think|>{A}",
    f"<|channel>thought\n{T}<channel|>{A}",
    f"<unused94>thought\n{T}<unused95>{A}",
    f"<|channel|>analysis<|message|>{T}<|end|><|start|>assistant<|channel|>final<|message|>{A}",
    f"<|start|>assistant<|channel|>analysis<|message|>{T}<|end|>\n"
    f"<|start|>assistant<|channel|>final<|message|>{A}<|return|>",
    f"<|channel|>analysis<|message|>{T}<|end|><|start|>assistant<|channel|>final "
    f"<|constrain|>json<|message|>{A}",
    f"analysis<|message|>{T}<|end|><|start|>assistant<|channel|>final<|message|>{A}",
    f"analysis{T}assistantfinal{A}",
    f"analysis{T}assistant final{A}",
    f"analysis\n{T}\nassistant\nfinal\n{A}",
    f"{T}assistantfinal{A}",
    f"Thinking...\n{T}\n...done thinking.\n\n{A}",
    f"*Thinking...*\n\n> {T}\n\n{A}",
    f'<details type="reasoning" done="true">{T}</details>\n{A}',
    f"<SUMMARY>{T}</SUMMARY><REASONING>{T}</REASONING><CONCLUSION>{A}",
    f"Reasoning: {T}\n\nAnswer: {A}",
    f"**Thought process:** {T}\n**Final answer:** {A}",
    f"Here is my thought process: {T}\nHere is my response: {A}",
    f'{{"reasoning": "{T}", "answer": "{A}"}}',
    f'```json\n{{"thinking": "{T}", "answer": "{A}"}}\n```',
]
UNCLOSED = [
    f"<think>{T}", f"<think>\n{T} {T}", f"<reasoning>{T}", f"◁think▷{T}", f"[THINK]{T}",
    f"<|channel|>analysis<|message|>{T}", f"<|channel|>analysis<|message|>{T}<|end|>",
    f"analysis{T}", f"analysis\n{T}", f"<|begin_of_thought|>{T}", f"<|channel>thought\n{T}",
    f"<|START_THINKING|>{T}", f"Thinking...\n{T}", f"<SUMMARY>{T}</SUMMARY><REASONING>{T}",
    f"<think>{T}</think>", f"{T}</think>", f"<think>{T}</think><think>{T}",
]  # fmt: skip
PLAIN = [
    "", "No.", "I think so.", "Analysis: the road is clear.", "In the final analysis, no.",
    "Final answer: no", "I thought [it] was <b>red</b>.", "a < b > c", '{"answer": "no"}',
    "Thinking about it, no.", "The shop assistant finally waves.", "{think", "Reasoning: a bus.",
]  # fmt: skip


@pytest.mark.parametrize("text", CLOSED)
def test_reasoning_and_answer_part(text: str) -> None:
    reasoning, answer = split_reasoning(text)
    assert THOUGHT in reasoning and ANSWER not in reasoning
    assert ANSWER in answer and THOUGHT not in answer


@pytest.mark.parametrize("text", UNCLOSED)
def test_reasoning_without_an_end_answers_nothing(text: str) -> None:
    reasoning, answer = split_reasoning(text)
    assert THOUGHT in reasoning and answer == ""


@pytest.mark.parametrize("text", PLAIN)
def test_a_text_without_reasoning_is_its_own_answer(text: str) -> None:
    assert split_reasoning(text) == ("", text)


def test_answers_between_blocks_of_reasoning_stay() -> None:
    text = "<think>a</think>Two cars. <think>b</think>One bus."
    assert split_reasoning(text) == ("a\nb", "Two cars. One bus.")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=80), st.text(max_size=80))
def test_what_stands_outside_the_block_is_the_answer(thought: str, answer: str) -> None:
    plain = split_reasoning(answer)
    if plain[0] or split_reasoning(thought)[0]:
        return
    assert split_reasoning(f"<think>{thought}</think>{answer}") == (thought.strip(), answer.strip())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(
            "<think> </think> <answer> </answer> <|channel|>analysis<|message|> <|end|> final "
            "assistantfinal ◁think▷ ◁/think▷ [THINK] { } > < \n yes no".split(" ")
        ),
        max_size=25,
    ).map(" ".join)
)
def test_any_mixture_of_marks_is_split_once(text: str) -> None:
    reasoning, answer = split_reasoning(text)
    assert len(reasoning) + len(answer) <= len(text) + text.count("<")
