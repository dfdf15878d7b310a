"""Replies of hosted models: kept from the moment they come, counted, and limited.

Each reply is one line of ``build/<study>/replies.jsonl``, as it came and on disk before it is read.
An interrupted shard finds its replies there and pays for none of them twice, whatever a reader made
of them. The same file says how many requests, tokens and dollars a study has taken, which
``--max-requests`` and ``--max-cost`` limit. Nothing of a request is in it, neither key nor image: a
reply is found by the digest of what was asked.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from vlmis_utils.core.errors import RunError
from vlmis_utils.models.vlm.openai_reply import Reply, read_reply

__all__ = ["Kept", "Replies", "Reply", "Usage", "question_key"]


@dataclass(frozen=True)
class Kept:
    """A reply as it came, to be kept.

    Attributes:
        body: the chat completion, JSON.
        prices: US dollars for a million tokens of prompt and of answer; None where not known.
    """

    body: str
    prices: tuple[float, float] | None = None

    def read(self) -> Reply:
        """Return what it says, and its cost."""
        reply = read_reply(self.body)
        tokens = (reply.prompt_tokens, reply.answer_tokens)
        if self.prices is None or None in tokens:
            return reply
        cost = sum(t * p for t, p in zip(tokens, self.prices, strict=True)) / 1e6
        return replace(reply, cost=cost)


@dataclass(frozen=True)
class Usage:
    """Sums over replies: how many, their tokens, and US dollars (None where any is unknown).

    Replies in which the host gave no answer and told no tokens count as requests alone.
    """

    requests: int
    prompt_tokens: int | None
    answer_tokens: int | None
    cost: float | None

    def __str__(self) -> str:
        parts = [f"{self.requests} replies"]
        for tokens, words in ((self.prompt_tokens, "read"), (self.answer_tokens, "written")):
            parts += [] if tokens is None else [f"{tokens} tokens {words}"]
        return ", ".join(parts + ([] if self.cost is None else [f"{self.cost:.4f} US dollars"]))


def question_key(digest: str, image: bytes, question: str) -> str:
    """Return the hex digest of all that determines a reply: model, image file and words."""
    parts = (digest.encode(), hashlib.sha256(image).digest(), question.encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


class Replies:
    """The replies of one study; safe to use from several threads.

    Args:
        path: the file, made with the first reply; None keeps them in memory only.
        max_requests: most requests of the study, all its hosted models together; 0: no limit.
        max_cost: most US dollars, likewise. Replies under way are counted as dear as the dearest so
            far, so the limit is passed only if one is dearer than all before it.
    """

    def __init__(
        self, path: Path | None = None, max_requests: int = 0, max_cost: float = 0.0
    ) -> None:
        self.path, self.max_requests, self.max_cost = path, max_requests, max_cost
        self._known: dict[str, tuple[str, Reply]] = {}
        self._ready = threading.Condition()
        self._under_way = self._failed = 0
        self._torn = False
        if path is not None and path.exists():
            self._load(path.read_bytes())

    def find(self, key: str) -> Reply | None:
        """Return the reply to a question, None if it was never answered."""
        with self._ready:
            found = self._known.get(key)
        return None if found is None else found[1]

    def usage(self, model: str | None = None) -> Usage:
        """Return the sums over the replies of a model, by its catalogue name, or of all."""
        with self._ready:
            own = [r for name, r in self._known.values() if model in (None, name)]

        def total(key: str) -> float | None:
            values = [getattr(reply, key) for reply in own if not reply.untold]
            return None if None in values else sum(values)

        counts = (total(key) for key in ("prompt_tokens", "answer_tokens", "cost"))
        return Usage(len(own), *counts)  # type: ignore[arg-type]

    def begin(self) -> None:
        """Ask leave for one request; waits while the price of a reply is still unknown.

        Raises:
            RunError: a limit is reached.
        """
        with self._ready:
            sent = len(self._known) + self._failed + self._under_way
            if self.max_requests and sent >= self.max_requests:
                raise self._stopped("--max-requests", f"{self.max_requests}")
            if self.max_cost:
                while not self._costs() and self._under_way:
                    self._ready.wait()
                costs = self._costs()
                due = (self._under_way + 1) * max(costs, default=0.0)
                if sum(costs) + due > self.max_cost:
                    raise self._stopped("--max-cost", f"{self.max_cost:g}")
            self._under_way += 1

    def end(self, model: str, key: str, came: Kept | Reply | None) -> Reply | None:
        """Take, and return, the reply to a request begun; None where it failed.

        Args:
            model, key: what was asked: catalogue name, and `question_key`.
            came: the reply as it came; read already where the host declined without one.

        Raises:
            RunError: its cost is limited and unknown.
        """
        reply = None
        with self._ready:
            self._under_way -= 1
            if came is None:
                self._failed += 1
            else:
                self._write(json.dumps({"key": key, "model": model, **asdict(came)}))
                reply = came.read() if isinstance(came, Kept) else came
                self._known[key] = (model, reply)
            self._ready.notify_all()
        if self.max_cost and reply and reply.cost is None and not reply.untold:
            raise RunError(
                f"model {model!r}: the server tells no tokens, so --max-cost cannot be kept: "
                "use --max-requests"
            )
        return reply

    def _costs(self) -> list[float]:
        return [reply.cost for _, reply in self._known.values() if reply.cost is not None]

    def _stopped(self, limit: str, value: str) -> RunError:
        done, spent = len(self._known), sum(self._costs())
        paid = f" for {spent:.4f} US dollars" if self._costs() else ""
        return RunError(
            f"stopped at {limit} {value}: this study has {done} replies of hosted models{paid}, all"
            f" kept; to go on, run again with a higher {limit}"
        )

    def _write(self, line: str) -> None:
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(b"\n" * self._torn + line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._torn = False

    def _load(self, content: bytes) -> None:
        """Read the lines; one that a power cut tore is left out, and its question asked again."""
        self._torn = bool(content) and not content.endswith(b"\n")
        for line in content.splitlines():
            try:
                read = json.loads(line)
                key, model = read.pop("key"), read.pop("model")
                kept = Kept(**read).read() if "body" in read else Reply(**read)
                self._known[key] = (model, kept)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
