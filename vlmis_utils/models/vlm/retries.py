"""Trying again after a failure that may pass, with growing pauses or those a server asks for.

tenacity does the tries. The OpenAI client's own would send requests that nobody counts, could not
be stopped while they wait, and would let one thread ask while a server wants a pause of all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import tenacity

from vlmis_utils.core.errors import RunError

__all__ = ["LONGEST", "Passing", "Retries", "retry_after"]

T = TypeVar("T")

# Seconds. Without advice: 0.5, 1, 2, ... up to LONGEST; a server that asks for more is not waited
# for, as a run should not seem to hang.
FIRST, LONGEST = 0.5, 120.0


class Passing(RunError):
    """A failure that may pass; ``pause`` is what the server asked for in seconds, None if not."""

    def __init__(self, message: str, pause: float | None = None) -> None:
        super().__init__(message)
        self.pause = pause


class Retries:
    """Tries again, in all threads at a pace that the server allows.

    Args:
        most: tries after the first.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._not_before = 0.0
        self._growing = tenacity.wait_exponential(FIRST, LONGEST) + tenacity.wait_random(0, FIRST)

    def run(self, attempt: Callable[[], T], stop: threading.Event) -> T:
        """Return what ``attempt`` returns, the first time that it does not raise `Passing`.

        A pause that the server asks one thread for holds for the others, too.

        Args:
            attempt: what to try.
            stop: set when no further try makes sense.

        Raises:
            RunError: the last failure, after all tries.
        """

        def begin(_: tenacity.RetryCallState) -> None:
            if stop.wait(max(0.0, self._not_before - time.monotonic())):
                raise RunError("stopped: recorded answers are kept")

        tries = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.most + 1),
            retry=tenacity.retry_if_exception_type(Passing),
            wait=self._pause,
            sleep=tenacity.sleep_using_event(stop),
            before=begin,
            reraise=True,
        )
        return tries(attempt)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        """Return the seconds to wait; those that the server asked for are waited for by all."""
        failure = state.outcome.exception() if state.outcome else None
        asked = getattr(failure, "pause", None)
        if asked is None:
            return self._growing(state)
        self._not_before = max(self._not_before, time.monotonic() + asked)
        return 0.0


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds that a reply asks to wait, None where it asks for none.

    Args:
        headers: of the reply, by lower-case name: ``retry-after-ms``, or ``retry-after`` in seconds
            or as a date (RFC 9110, Section 10.2.3).
        now: the time to count a date from.

    >>> retry_after({"retry-after": "7"}), retry_after({"retry-after-ms": "250"})
    (7.0, 0.25)
    >>> retry_after({"retry-after": "soon"}) is None
    True
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    try:
        date = parsedate_to_datetime(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())
