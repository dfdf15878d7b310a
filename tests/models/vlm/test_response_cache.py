from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from vlmis_utils.core.errors import RunError
from vlmis_utils.models.vlm.response_cache import Replies, Reply, question_key

MILLION = 1e6


def ask(replies: Replies, key: str, reply: Reply | None, model: str = "m") -> None:
    replies.begin()
    replies.end(model, key, reply)


def test_replies_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "study" / "replies.jsonl"
    first = Replies(path)
    ask(first, "a", Reply("Yes.", 0.7, 0.2, 100, 2, 0.01))
    ask(first, "b", Reply("No é ☃\n", None, None, None, None, None), "other")
    ask(first, "c", None)
    again = Replies(path)
    assert again.find("a") == Reply("Yes.", 0.7, 0.2, 100, 2, 0.01)
    assert again.find("b") == Reply("No é ☃\n")
    assert again.find("c") is None
    assert again.usage("m") == first.usage("m")
    assert (again.usage().requests, again.usage().cost) == (2, None)


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_torn_line_is_asked_again_and_harms_no_other(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "replies.jsonl"
    for key in "ab":
        ask(Replies(path), key, Reply(key))
    path.write_bytes(path.read_bytes()[:-cut])
    torn = Replies(path)
    assert torn.find("a") == Reply("a") and (torn.find("b") is None) == (cut > 1)
    ask(torn, "c", Reply("c"))
    whole = Replies(path)
    assert whole.find("a") == Reply("a") and whole.find("c") == Reply("c")


def test_what_determines_a_reply_determines_its_key() -> None:
    base = question_key("digest", b"image", "Is there a bus?")
    assert base == question_key("digest", b"image", "Is there a bus?") and len(base) == 64
    others = [("other", b"image", "Is there a bus?"), ("digest", b"other", "Is there a bus?"),
              ("digest", b"image", "Is there a car?")]  # fmt: skip
    assert len({base, *(question_key(*other) for other in others)}) == 4


def test_requests_are_limited_over_runs_and_failures_count(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    replies = Replies(path, max_requests=3)
    ask(replies, "a", Reply("a"))
    ask(replies, "b", None)
    ask(replies, "c", Reply("c"))
    with pytest.raises(RunError, match="stopped at --max-requests 3: this study has 2 replies"):
        replies.begin()
    again = Replies(path, max_requests=3)
    ask(again, "d", Reply("d"))
    with pytest.raises(RunError, match="to go on, run again with a higher --max-requests"):
        again.begin()


def test_cost_is_limited_by_the_dearest_so_far(tmp_path: Path) -> None:
    replies = Replies(tmp_path / "replies.jsonl", max_cost=1.0)
    for key in "abc":
        ask(replies, key, Reply(key, cost=0.3))
    with pytest.raises(RunError, match="stopped at --max-cost 1: .* for 0.9000 US dollars, all"):
        replies.begin()
    more = Replies(tmp_path / "replies.jsonl", max_cost=1.3)
    more.begin()
    with pytest.raises(RunError):  # one under way counts as dear as the dearest
        more.begin()


def test_no_second_request_before_the_first_price_is_known() -> None:
    replies = Replies(max_cost=1.0)
    replies.begin()
    begun: list[float] = []

    def second() -> None:
        replies.begin()
        begun.append(time.monotonic())

    thread = threading.Thread(target=second)
    thread.start()
    thread.join(0.1)
    assert thread.is_alive() and not begun
    replies.end("m", "a", Reply("a", cost=0.1))
    thread.join(5)
    assert begun


def test_a_limit_on_cost_needs_tokens_from_the_server() -> None:
    replies = Replies(max_cost=1.0)
    replies.begin()
    with pytest.raises(RunError, match="tells no tokens, so --max-cost cannot be kept"):
        replies.end("m", "a", Reply("a"))
    assert replies.find("a") == Reply("a")  # paid for, so kept


def test_threads_never_pass_a_limit() -> None:
    replies = Replies(max_requests=20)
    stopped = []

    def work(number: int) -> None:
        for step in range(10):
            try:
                ask(replies, f"{number}/{step}", Reply("x"))
            except RunError:
                stopped.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies.usage().requests == 20 and len(stopped) == 60
