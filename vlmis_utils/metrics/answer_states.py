"""Which recorded answers are none, or not whole: empty, cut, filtered, declined, not finite.

Rates of misalignment read such answers as "mentions nothing" or "abstains"; how many there are says
whether a rate is the model's doing or that of a limit of tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.metrics.parsing.parse import declined
from vlmis_utils.protocol.answer import FILTERED, NOT_FINITE
from vlmis_utils.protocol.reasoning import split_reasoning

__all__ = ["STATES", "answer_states", "count_states", "states_in_words"]

# What an answer can be, and how that is said of several.
STATES: dict[str, str] = {
    "empty": "empty",
    "cut": "cut at the limit of tokens",
    "filtered": "filtered by the host",
    "declined": "declined by the model",
    "not_finite": "without finite scores",
}


def answer_states(answers: pd.DataFrame) -> pd.DataFrame:
    """Return, for each answer, which of `STATES` hold; several can.

    Args:
        answers: table of the records.

    Returns:
        Columns empty (nothing said, reasoning aside, though neither filtered nor declined), cut,
        filtered, declined and not_finite, bool, with the index of ``answers``.
    """
    text = answers.text.fillna("").astype(str)
    reason = answers.finish_reason.fillna("").astype(str)
    filtered = (reason == "filtered") | text.str.startswith(FILTERED)
    refused = {said: declined(said) for said in text.unique()}
    declines = ((reason == "refused") | text.map(refused).astype(bool)) & ~filtered
    not_finite = reason == NOT_FINITE
    silent = text.map(lambda said: not split_reasoning(said)[1].strip()).astype(bool)
    scored = answers.labels.map(len) > 0
    found = {
        "empty": silent & ~(scored | filtered | declines | not_finite),
        "cut": reason == "length",
        "filtered": filtered,
        "declined": declines,
        "not_finite": not_finite,
    }
    return pd.DataFrame(found, index=answers.index).astype(bool)


def count_states(answers: pd.DataFrame, by: Sequence[str] = ("vlm",)) -> pd.DataFrame:
    """Return how many answers there are, and how many of them in each state.

    Args:
        answers: table of the records.
        by: columns that make the groups.

    Returns:
        One row for each group in order of appearance: the columns ``by``, answers, those of
        `STATES`, and the means of completion_tokens and reasoning_tokens, NaN where no answer tells
        them.
    """
    by = list(by)
    states = answer_states(answers)
    grouped = pd.concat([answers[by], states], axis=1).groupby(by, sort=False, observed=True)
    counted = grouped[list(STATES)].sum().astype(int)
    counted.insert(0, "answers", grouped.size())
    for column in ("completion_tokens", "reasoning_tokens"):
        numbers = answers[by].assign(**{column: pd.to_numeric(answers[column])})
        counted[column] = numbers.groupby(by, sort=False, observed=True)[column].mean()
    return counted.reset_index()


def states_in_words(row: Mapping[str, object]) -> str:
    """Return what a row of `count_states` holds beside whole answers; empty where nothing.

    >>> states_in_words({"answers": 33, "empty": 33, "cut": 33, "filtered": 0, "declined": 0,
    ...                  "not_finite": 0})
    '33 of 33 answers are empty, 33 cut at the limit of tokens'
    """
    parts = [f"{row[state]} {words}" for state, words in STATES.items() if row[state]]
    if not parts:
        return ""
    first, _, rest = parts[0].partition(" ")
    verb = "is" if first == "1" else "are"
    return ", ".join([f"{first} of {row['answers']} answers {verb} {rest}", *parts[1:]])
