"""Trying again after a failure that may pass, with growing pauses or those a server asks for."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

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
        self._lock = threading.Lock()
        self._not_before = 0.0

    def run(self, attempt: Callable[[], T], stop: threading.Event) -> T:
        """Return what ``attempt`` returns, the first time that it does not raise `Passing`.

        A pause that the server asks one thread for holds for the others, too.

        Args:
            attempt: what to try.
            stop: set when no further try makes sense.

        Raises:
            RunError: the last failure, after all tries, or when the server asks for a pause longer
                than `LONGEST`.
        """
        for tries in range(self.most + 1):
            if stop.wait(max(0.0, self._not_before - time.monotonic())):
                raise RunError("stopped: recorded answers are kept")
            try:
                return attempt()
            except Passing as failure:
                if failure.pause is not None and failure.pause > LONGEST:
                    raise RunError(
                        f"{str(failure).partition(':')[0]}: the server asks for a pause of "
                        f"{failure.pause:.0f} s: run again then, recorded answers are kept"
                    ) from None
                if tries == self.most:
                    raise RunError(str(failure)) from None
                self._wait(failure.pause, tries, stop)
        raise AssertionError("unreachable")

    def _wait(self, asked: float | None, tries: int, stop: threading.Event) -> None:
        if asked is not None:
            with self._lock:
                self._not_before = max(self._not_before, time.monotonic() + asked)
            return
        stop.wait(min(LONGEST, FIRST * 2**tries) * random.uniform(0.75, 1.0))


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
