"""The errors a user can meet: misuse (exit code 2) and a failed run (exit code 1)."""

from __future__ import annotations

import difflib
import errno
import reprlib
import sys
from collections.abc import Callable, Iterable

__all__ = [
    "RunError", "StopError", "UserError", "closest", "exit_code", "one_line", "shown", "unwritable",
    "visible",
]  # fmt: skip


def visible(text: str) -> str:
    r"""Return a text in one line: a character that does not print, as Python writes it.

    >>> print(visible("models\n.yaml"))
    models\n.yaml
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class _OneLineError(Exception):
    """An error whose message is one line, whatever a path or a value in it holds."""

    def __init__(self, message: object = "") -> None:
        super().__init__(visible(str(message)))


class UserError(_OneLineError, ValueError):
    """Bad input. The message is one line that names the thing and the remedy."""


class RunError(_OneLineError, RuntimeError):
    """A run that could not go on. The message is one line that names the file and the remedy."""


class StopError(RunError):
    """A failure that no other part of a run would escape, such as a full disk: it ends at once."""


def unwritable(path: object, error: OSError) -> StopError:
    """Return the error of a file that could not be written: the file, why, and the remedy.

    >>> print(unwritable("a/b.parquet", OSError(errno.ENOSPC, "No space left on device")))
    cannot write a/b.parquet: No space left on device; what is recorded is kept: free some space \
and run again
    """
    remedy = "make it writable, or set build_root to another folder,"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = "free some space"
    reason = error.strerror or str(error) or type(error).__name__
    return StopError(
        f"cannot write {path}: {reason}; what is recorded is kept: {remedy} and run again"
    )


def exit_code(work: Callable[[], object], interrupted: str) -> int:
    """Do the work of a command; return its exit code: 0 done, 1 failed or interrupted, 2 misused.

    An error is one line on stderr; so is ``interrupted`` after Ctrl-C.

    >>> exit_code(lambda: None, "interrupted")
    0
    """
    try:
        work()
    except (UserError, RunError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UserError) else 1
    except KeyboardInterrupt:
        print(interrupted, file=sys.stderr)
        return 1
    return 0


def one_line(error: BaseException, most: int = 160) -> str:
    """Return the first line of what an error says, shortened; its kind where it says nothing.

    >>> one_line(ValueError("no luck")), one_line(KeyError()), one_line(OSError("x" * 9), 5)
    ('no luck', 'KeyError', 'xxxx…')
    """
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text if len(text) <= most else f"{text[: most - 1]}…"


def shown(value: object) -> str:
    """Return a value as Python writes it, long or deep ones shortened.

    >>> shown("text"), shown([[[1]]])
    ("'text'", '[[[...]]]')
    """
    short = reprlib.Repr()
    short.maxlevel, short.maxlist, short.maxdict, short.maxstring = 2, 12, 6, 200
    return short.repr(value)


def closest(word: object, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the nearest known word, else the list of known words.

    >>> closest("topk", ["top_k", "seed"])
    " (did you mean 'top_k'?)"
    """
    known = list(known)
    match = difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)
    return f" (did you mean {match[0]!r}?)" if match else f" (known: {', '.join(known)})"
