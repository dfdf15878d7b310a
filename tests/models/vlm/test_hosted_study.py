"""One study with a hosted model that answers in every odd way that servers have, all in one run."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.helpers import fakes
from tests.helpers.chat_server import KEY, ChatServer, failure
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.metrics.answer_states import STATES
from vlmis_utils.models.vlm.loading import load_vlm
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.run_info import read_run
from vlmis_utils.runner import run as engine
from vlmis_utils.runner.context import Loaders
from vlmis_utils.runner.preflight.check import check

LOADERS = Loaders(fakes.load_segmenter, load_vlm)
SCENES = 3
QUESTIONS = (SCENES * 2 + 1) * len(PROMPTS)
SOON = {"retry-after-ms": "1"}


def said(message: object, finish: str | None = "stop", spent: int = 4, thought: int = 0) -> tuple:
    usage = {"prompt_tokens": 300, "completion_tokens": spent,
             "completion_tokens_details": {"reasoning_tokens": thought}}  # fmt: skip
    return 200, {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}


def spent_on_thinking() -> tuple:
    return said({"content": "", "reasoning_content": "Let me see"}, "length", 96, 96)


def moderated() -> tuple:
    words = f"tiny requires moderation. Your input was flagged ({KEY})"
    return 403, {"error": {"code": 403, "message": words, "metadata": {"reasons": ["violence"]}}}


PARTS = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
         {"type": "text", "text": "No."}]  # fmt: skip

# What comes, and the text and finish reason that are recorded of it; None: asked again.
ODD: list[tuple[tuple, str | None, str | None]] = [
    (said({"content": "Half \ud83d a car."}), "Half \ufffd a car.", "stop"),
    (spent_on_thinking(), "", "length"),
    (said({"content": PARTS}), "No.", "stop"),
    (said({"content": None}, "SAFETY"), "[content filter]", "filtered"),
    (said({"content": "A street"}, "RECITATION"), "[content filter] A street", "filtered"),
    (said({"content": "Yes, a ca"}, "MAX_TOKENS"), "Yes, a ca", "length"),
    ((200, {"choices": [], "usage": {"prompt_tokens": 300, "completion_tokens": 0}}),
     "", "no choices"),
    (moderated(), "[content filter]", "filtered"),
    (failure(400, "content_filter"), "[content filter]", "filtered"),
    (said({"content": None, "refusal": "I cannot."}), "[refusal] I cannot.", "refused"),
    (said({"content": "<think>A bus? No.</think>A car."}), "<think>A bus? No.</think>A car.",
     "stop"),
    (said({"content": "taxi at the exit, none visible"}, None),
     "taxi at the exit, none visible", None),
    (failure(500), None, None),
    (failure(429, headers=SOON), None, None),
    ((200, {"error": {"code": 503, "message": f"no: {KEY}"}}, SOON), None, None),
    ((200, b"<html><title>504</title></html>", SOON), None, None),
    ((200, None), None, None),
]  # fmt: skip
ASKED_AGAIN = sum(text is None for _, text, _ in ODD)


def make_study(folder: Path, **options: object) -> Study:
    study = fakes.make_study(folder, SCENES, shard_size=2, conditions=("clean", "MB3"))
    path = folder / "models.yaml"
    catalogue = yaml.safe_load(path.read_text())
    catalogue["hosted"] = {
        "library": "openai", "checkpoint": "m", "shown": "hosted",
        "options": {"concurrency": 1, "retries": 9, "max_tokens": 96, **options},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(catalogue))
    return replace(study, vlms=("hosted",))


def answers(study: Study) -> pd.DataFrame:
    return pd.read_parquet(study.records / "answers.parquet")


def test_all_odd_replies_in_one_study(
    server: ChatServer, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    server.reply = lambda body, n: ODD[n - 1][0] if n <= len(ODD) else spent_on_thinking()
    study = make_study(tmp_path)
    engine.run(study, loaders=LOADERS)
    assert len(server.bodies) == QUESTIONS + ASKED_AGAIN
    shown = capfd.readouterr().err
    table = answers(study)
    assert len(table) == SCENES * 3 * len(PROMPTS)

    # What came is recorded, every odd reply once, in words and in reason.
    expected = Counter((text, ended) for _, text, ended in ODD if text)
    reasons = table.finish_reason.astype(object).where(table.finish_reason.notna(), None)
    assert expected == Counter(pair for pair in zip(table.text, reasons, strict=True) if pair[0])
    assert (table.truncated == (table.finish_reason == "length"))[table.truncated.notna()].all()
    spent = table[(table.text == "") & (table.finish_reason == "length")]
    assert (spent.reasoning == "Let me see").all() and (spent.completion_tokens == 96).all()
    assert (spent.reasoning_tokens == 96).all() and (spent.prompt_tokens == 300).all()
    assert table.reasoning[table.text.str.startswith("<think>")].tolist() == ["A bus? No."]
    assert table.reasoning[table.text == "No."].tolist() == ["Hm"]

    # It is said while running, once of each kind, and summed up at the end and by check.
    for words in ("half a character", "an answer is empty, all of it spent on reasoning, cut at",
                  "was declined by the host's filter", "an answer was cut"):  # fmt: skip
        assert shown.count(words) == 1, words
    counts = read_run(study.records)["answers"]["hosted"]
    assert counts["answers"] == len(table) and counts["cut"] == (table.truncated == True).sum()  # noqa: E712
    assert counts["filtered"] == 4 and counts["declined"] == 1
    assert counts["empty"] == (table.text == "").sum()
    total = f"{counts['empty']} of {len(table)} answers are empty"
    assert f"hosted: {total}, {counts['cut']} {STATES['cut']}" in shown
    (found,) = [f for f in check(study) if f.topic == "answers of hosted"]
    assert found.status == "warn" and total in found.found and "max_tokens" in found.remedy

    # Nothing is paid for twice, and what was kept can be read for good.
    for part in (study.folder / "shards" / "answers").iterdir():
        part.unlink()
    engine.run(study, loaders=LOADERS)
    assert len(server.bodies) == QUESTIONS + ASKED_AGAIN
    pd.testing.assert_frame_equal(answers(study).drop(columns="seconds"),
                                  table.drop(columns="seconds"))  # fmt: skip
    kept = (study.folder / "replies.jsonl").read_text().splitlines()
    assert len(kept) == QUESTIONS and "\\\\ud83d" in kept[0]
    assert KEY not in shown and KEY not in "".join(kept)


def test_each_single_try_counts_towards_the_limit(server: ChatServer, tmp_path: Path) -> None:
    server.reply = lambda body, n: failure(500)
    study = replace(make_study(tmp_path), max_requests=5)
    with pytest.raises(RunError, match="--max-requests 5"):
        engine.run(study, loaders=LOADERS)
    assert len(server.bodies) == 5


def test_an_old_reply_that_could_not_be_recorded_is_mended(
    server: ChatServer, tmp_path: Path
) -> None:
    """Replies were kept read, not as they came, and a lone surrogate ended the study for good."""
    study = make_study(tmp_path)
    engine.run(study, loaders=LOADERS)
    path = study.folder / "replies.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    old = [{"key": line["key"], "model": line["model"], "text": "Yes \ud83d", "p_yes": None,
            "p_no": None, "prompt_tokens": 3, "answer_tokens": 1, "cost": None}
           for line in lines]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in old))
    for part in (study.folder / "shards" / "answers").iterdir():
        part.unlink()
    engine.run(study, loaders=LOADERS)
    assert set(answers(study).text) == {"Yes \ufffd"}
    assert len(server.bodies) == QUESTIONS


def test_one_encoding_for_all_conditions(server: ChatServer, tmp_path: Path) -> None:
    study = make_study(tmp_path, image_format="jpeg", jpeg_quality=90)
    engine.run(study, loaders=LOADERS)
    urls = [body["messages"][0]["content"][0]["image_url"]["url"] for body in server.bodies]
    assert {url.partition(";")[0] for url in urls} == {"data:image/jpeg"}
    known = read_run(study.records)["models"]["hosted"]
    assert known["image_encoding"] == "jpeg 90"
    lossless = make_study(tmp_path)
    engine.run(lossless, loaders=LOADERS)
    assert len(server.bodies) == 2 * QUESTIONS  # other pictures, so other questions
    small = make_study(tmp_path, max_bytes=100)
    with pytest.raises(UserError, match="max_bytes 100: set image_format"):
        engine.run(replace(small, study="small"), loaders=LOADERS)
