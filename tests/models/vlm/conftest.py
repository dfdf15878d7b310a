"""A server of hosted models that the tests of this folder ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.chat_server import KEY, ChatServer
from vlmis_utils.models.vlm import retries


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """Give a server on this machine that the environment points to, asked again without pauses."""
    made = ChatServer()
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", made.address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(retries, "FIRST", 0.001)
    yield made
    made.close()
