from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.models.vlm import retries
from vlmis_utils.models.vlm.retries import Passing, Retries, retry_after


def test_pauses_grow_until_all_tries_are_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, pauses = threading.Event(), []
    monkeypatch.setattr(stop, "wait", lambda timeout: bool(pauses.append(timeout)))

    def attempt() -> None:
        raise Passing("model 'm': no")

    with pytest.raises(RunError, match="model 'm': no"):
        Retries(9).run(attempt, stop)
    between = [pause for pause in pauses if pause]
    assert len(between) == 9 and sorted(between[:8]) == between[:8]
    assert 0.5 <= between[0] <= 1.0 and between[-1] <= retries.LONGEST + 0.5


def test_only_what_may_pass_is_tried_again() -> None:
    tries = []

    def attempt() -> None:
        tries.append(1)
        raise UserError("for good")

    with pytest.raises(UserError):
        Retries(5).run(attempt, threading.Event())
    assert len(tries) == 1


def test_stop_ends_a_pause() -> None:
    stop = threading.Event()

    def attempt() -> None:
        threading.Timer(0.05, stop.set).start()
        raise Passing("model 'm': busy", pause=60)

    start = time.monotonic()
    with pytest.raises(RunError, match="stopped"):
        Retries(5).run(attempt, stop)
    assert time.monotonic() - start < 5


def test_pauses_are_read_in_every_form() -> None:
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    date = format_datetime(now + timedelta(seconds=90), usegmt=True)
    assert retry_after({"retry-after": date}, now) == pytest.approx(90, abs=1)
    assert retry_after({"retry-after": date}, now + timedelta(hours=1)) == 0
    assert retry_after({"retry-after": "1.5", "retry-after-ms": "20"}) == 0.02
    for odd in ("nan", "inf", "-3", "", "tomorrow"):
        assert retry_after({"retry-after": odd}) is None
    assert retry_after({}) is None
