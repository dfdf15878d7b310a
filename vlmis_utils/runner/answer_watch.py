"""Says, while a study runs and at its end, which answers are none or not whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from vlmis_utils.metrics.answer_states import STATES, answer_states, count_states, states_in_words
from vlmis_utils.protocol.models import ModelEntry

__all__ = ["AnswerWatch", "summaries", "summary_line"]

_SHOWN = 3  # answers without finite scores that a line names


class AnswerWatch:
    """Watches the answers of one model as they are recorded.

    Args:
        entry: of the model.
    """

    def __init__(self, entry: ModelEntry) -> None:
        self._name, self._hosted = entry.name, entry.library == "openai"
        self._said = {"not_finite"}

    def lines(self, answers: pd.DataFrame) -> Iterator[str]:
        """Yield what is to be said of a unit's rows.

        Answers without finite scores are named every time. Of another state a line is said once;
        of hosted models not even that, as they say so with the very reply.
        """
        states = answer_states(answers)
        lost = answers[states.not_finite]
        if len(lost):
            named = [f"scene {r.scene_id} under {r.condition}, prompt {r.prompt}"
                     for r in lost.head(_SHOWN).itertuples()]  # fmt: skip
            more = f"; and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
            yield (
                f"model {self._name}: scores that are no numbers (NaN or infinite), recorded as no"
                f" answer: {'; '.join(named)}{more}"
            )
        new = [name for name in STATES if states[name].any() and name not in self._said]
        if new and not self._hosted:
            self._said |= set(new)
            told = ", ".join(f"{states[name].sum()} {STATES[name]}" for name in new)
            yield f"{self._name}: of {len(states)} answers {told}; the end of the run counts all"


def summaries(answers: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Return, for each model, its counts of `count_states`, as run.json keeps them."""
    counted = count_states(answers).set_index("vlm").astype(object)
    return counted.where(counted.notna(), None).to_dict("index")


def summary_line(entry: ModelEntry, counts: Mapping[str, object]) -> str:
    """Return what is to be said of all answers of a model, and what helps; empty if all is well."""
    told = states_in_words(counts)
    option = "max_tokens" if entry.library == "openai" else "describe_tokens or short_tokens"
    remedy = f": raise {option} in its options in the model catalogue" if counts["cut"] else ""
    return f"{entry.name}: {told}{remedy}" if told else ""
