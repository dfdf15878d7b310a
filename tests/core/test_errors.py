"""Every message is one line that a console can print, whatever the user's values hold."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmis_utils.core.errors import RunError, StopError, UserError
from vlmis_utils.protocol.parameters import load_study


@pytest.mark.parametrize("kind", [UserError, RunError, StopError])
@given(text=st.text())
def test_a_message_is_one_printable_line(kind: type[Exception], text: str) -> None:
    message = str(kind(text))
    assert message.isprintable() and "\n" not in message
    assert message == text or not text.isprintable()
    assert str(pickle.loads(pickle.dumps(kind(text)))) == message


@pytest.mark.parametrize("key", ["models", "class_map", "data_root", "build_root", "study"])
@pytest.mark.parametrize("value", ["\n", "a\nb.yaml", "a\rb", "\x1b[31m", "\u2028", "a\tb"])
def test_a_value_with_control_characters_stays_in_one_line(key: str, value: str) -> None:
    try:
        load_study("params/smoke.yaml", {key: value})
    except UserError as error:
        assert str(error).isprintable()
