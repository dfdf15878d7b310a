"""Progress: a bar with the time that remains, or plain lines where nobody watches a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from tqdm import tqdm

__all__ = ["Progress", "duration", "say"]

# Seconds between two plain lines.
_INTERVAL = 15.0


def say(text: str) -> None:
    """Print one line to stderr, above a bar if there is one."""
    tqdm.write(text, file=sys.stderr)
    sys.stderr.flush()


def duration(seconds: float) -> str:
    """Return a time in words.

    >>> duration(4.21), duration(83), duration(3720)
    ('4.2 s', '1 min 23 s', '1 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


class Progress:
    """A context that counts towards ``total``.

    On a terminal a bar; elsewhere a line at the start, at most one every 15 seconds, and one at
    the end, each with the time that remains.
    """

    def __init__(self, label: str, total: int, unit: str) -> None:
        self.label, self.total, self.unit = label, total, unit
        self.done = 0
        self._start = self._last = time.monotonic()
        self._bar: tqdm | None = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            self._bar = tqdm(total=self.total, desc=self.label, unit=self.unit, file=sys.stderr)
        else:
            say(f"{self.label}: 0/{self.total} {self.unit}")
        return self

    def add(self, count: int) -> None:
        """Count ``count`` more as done."""
        self.done += count
        if self._bar is not None:
            self._bar.update(count)
            return
        now = time.monotonic()
        if now - self._last >= _INTERVAL and self.done < self.total:
            self._last = now
            left = (now - self._start) / self.done * (self.total - self.done)
            say(f"{self.label}: {self.done}/{self.total} {self.unit}, {duration(left)} left")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif kind is None:
            took = duration(time.monotonic() - self._start)
            say(f"{self.label}: {self.done}/{self.total} {self.unit} in {took}")
