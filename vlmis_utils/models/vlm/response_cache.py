"""Replies of hosted models: kept from the moment they come, counted, and limited.

Each reply is one line of ``build/<study>/replies.jsonl``, on disk before the next thing happens. An
interrupted shard finds its replies there and pays for none of them twice. The same file says how
many requests, tokens and dollars a study has taken, which ``--max-requests`` and ``--max-cost``
limit. It holds no key and no image: a reply is found by the digest of what was asked.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from vlmis_utils.core.errors import RunError

__all__ = ["Replies", "Reply", "Usage", "first_words", "question_key"]


@dataclass(frozen=True)
class Reply:
    """What a hosted model answered to one prompt about one image, and what that took.

    Attributes:
        text: the answer, unread; a refusal or filter has its mark in front.
        p_yes, p_no: as in `models.vlm.loading.Answer`.
        prompt_tokens, answer_tokens: as the server counts them, image included; None if untold.
        cost: US dollars; None where the entry has no prices or the server tells no tokens.
    """

    text: str
    p_yes: float | None = None
    p_no: float | None = None
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True)
class Usage:
    """Sums over replies: how many, their tokens, and US dollars (None where any is unknown)."""

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


def first_words(choice: object) -> tuple[float | None, float | None]:
    """Return the probabilities that the text begins with yes and with no, None where not told.

    Only the likeliest first tokens are told, so these are lower bounds, tight where it matters.
    """
    content = getattr(getattr(choice, "logprobs", None), "content", None)
    if not content or not content[0].top_logprobs:
        return None, None
    shares = [(t.token.strip().lower(), math.exp(t.logprob)) for t in content[0].top_logprobs]
    yes, no = (sum(p for token, p in shares if token == word) for word in ("yes", "no"))
    return yes, no


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
            values = [getattr(reply, key) for reply in own]
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

    def end(self, model: str, key: str, reply: Reply | None) -> None:
        """Take the reply to a request begun, None where it failed.

        Raises:
            RunError: its cost is limited and unknown.
        """
        with self._ready:
            self._under_way -= 1
            if reply is None:
                self._failed += 1
            else:
                self._known[key] = (model, reply)
                self._write(json.dumps({"key": key, "model": model, **asdict(reply)}))
            self._ready.notify_all()
        if reply is not None and self.max_cost and reply.cost is None:
            raise RunError(
                f"model {model!r}: the server tells no tokens, so --max-cost cannot be kept: "
                "use --max-requests"
            )

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
                self._known[key] = (model, Reply(**read))
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
