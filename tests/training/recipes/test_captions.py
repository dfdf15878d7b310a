from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from vlmis_utils.metrics.parsing.parse import mentions, parse_presence, parse_safety
from vlmis_utils.protocol.classes import (
    LANGUAGE_CLASSES,
    OBJECT_CLASSES,
    PRESENCE_CLASSES,
)
from vlmis_utils.protocol.safety_label import Footprint, judge
from vlmis_utils.streetworld.scene.cast import ROAD_USER_KINDS
from vlmis_utils.training.nets.tokenizer import chat_tokenizer, sentence_tokenizer
from vlmis_utils.training.recipes.captions import (
    AMBIGUOUS_PIXELS,
    HAZARDS,
    NAMING_ORDER,
    Facts,
    caption,
    corpus,
    describe,
    facts,
    presence_answer,
    safety_answer,
    turns,
)
from vlmis_utils.training.weights import CHECKPOINTS

TOTAL = 256 * 512


def random_facts(seed: int) -> Facts:
    rng = np.random.default_rng(seed)
    counts = rng.choice([0, 5, 30, 60, 4000], 19)
    counts[0] = TOTAL - counts[1:].sum()
    reasons = [
        "pedestrian in corridor at 9.3 m",
        "red light",
        "tram in corridor at 4.0 m; amber light",
    ]
    safe = bool(rng.random() < 0.5)
    return facts(counts, safe, "clear" if safe else str(rng.choice(reasons)))


@pytest.fixture(params=range(40))
def known(request: pytest.FixtureRequest) -> Facts:
    return random_facts(request.param)


def test_descriptions_read_back_as_the_objects_shown(known: Facts) -> None:
    said = mentions(describe(known))
    assert said.asserted & set(OBJECT_CLASSES) == known.shown & set(OBJECT_CLASSES)
    assert not said.negated and not said.hedged
    assert mentions(describe(known), rule="keyword").asserted == said.asserted


def test_a_description_names_what_is_large_enough_and_answers_tell_all() -> None:
    counts = np.zeros(19, dtype=int)
    counts[[13, 11, 0]] = 0.002 * TOTAL, 0.001 * TOTAL, TOTAL - 0.003 * TOTAL  # car, pedestrian
    known = facts(counts, True, "clear", named_from=0.0016)
    assert known.small == {"pedestrian"} and known.shown >= {"car", "pedestrian"}
    assert describe(known) == "The image shows a street with a car."
    assert presence_answer(known, "pedestrian") == "Yes."
    assert not facts(counts, True, "clear").small


def test_presence_answers_read_back(known: Facts) -> None:
    for name in PRESENCE_CLASSES:
        for seed in range(4):
            answer = presence_answer(known, name, np.random.default_rng(seed))
            if answer is None:
                assert name not in known.shown and name not in known.absent
            else:
                assert parse_presence(answer, name) == ("yes" if name in known.shown else "no")


def test_safety_answers_read_back(known: Facts) -> None:
    assert parse_safety(safety_answer(known)) == ("safe" if known.safe else "unsafe")


@pytest.mark.parametrize("hazard", HAZARDS)
def test_every_hazard_reads_as_unsafe(hazard: str) -> None:
    assert (
        parse_safety(safety_answer(Facts(frozenset(), frozenset(), False, (hazard,)))) == "unsafe"
    )


def test_captions_name_only_what_is_there(known: Facts) -> None:
    for seed in range(6):
        text = caption(known, np.random.default_rng(seed))
        assert mentions(text).asserted - {"road"} <= known.shown
        assert text == caption(known, np.random.default_rng(seed))


def test_faint_classes_are_not_asked_for() -> None:
    counts = np.zeros(19, dtype=int)
    counts[[13, 14, 15, 0]] = AMBIGUOUS_PIXELS - 1, AMBIGUOUS_PIXELS, 53, TOTAL - 200
    known = facts(counts, True, "clear")
    assert presence_answer(known, "car") == "No."
    assert presence_answer(known, "truck") is None
    assert presence_answer(known, "bus") == "Yes."
    asked = [name for name, _, _ in turns(known, np.random.default_rng(0))]
    assert "presence/truck" not in asked and asked[0] == "describe" and asked[-1] == "safety"


@pytest.mark.parametrize("kind", sorted(ROAD_USER_KINDS))
def test_reasons_of_the_safety_rule_are_understood(kind: str) -> None:
    user = Footprint(kind, 0.0, 8.0, 0.0, 2.0, 1.0)
    for light in (None, "red", "amber"):
        safe, reason = judge([user], light)
        wanted = (kind, *([f"{light} light"] if light else []))
        assert facts(np.ones(19), safe, reason).hazards == wanted
    safe, reason = judge([], "green")
    assert facts(np.ones(19), safe, reason) == Facts(
        frozenset(LANGUAGE_CLASSES), frozenset(), True, ()
    )


def test_the_naming_order_holds_every_object_once() -> None:
    assert sorted(NAMING_ORDER) == sorted(OBJECT_CLASSES)


def test_tokenizers_hold_every_word_whole(known: Facts) -> None:
    chat, sentence = chat_tokenizer(), sentence_tokenizer()
    rng = np.random.default_rng(0)
    for _, question, answer in turns(known, rng):
        for text in (question, answer):
            ids = chat(text).input_ids
            words = len(
                text.replace(",", " ,")
                .replace(".", " .")
                .replace("?", " ?")
                .replace(":", " :")
                .split()
            )
            assert len(ids) == words and chat.decode(ids) == text
    text = caption(known, rng)
    assert sentence.decode(sentence(text).input_ids, skip_special_tokens=True) == text


def test_tokenizers_write_any_text_and_do_not_change() -> None:
    chat, sentence = chat_tokenizer(), sentence_tokenizer()
    assert chat.decode(chat("Straße & 7 Ölfässer").input_ids) == "Straße & 7 Ölfässer"
    assert sentence.pad_token_id == 0 and sentence.eos_token_id == len(sentence) - 1
    assert len(chat) == len(chat_tokenizer()) and len(set(corpus())) > 80


@pytest.mark.parametrize(
    ("name", "built"), [("clip", sentence_tokenizer), ("qwen2-vl", chat_tokenizer)]
)
def test_the_committed_checkpoints_read_the_tokens_of_today_s_corpus(name: str, built: Any) -> None:
    stored = json.loads((CHECKPOINTS / name / "tokenizer.json").read_text("utf-8"))
    assert json.loads(built().backend_tokenizer.to_str())["model"] == stored["model"]


def test_every_answer_is_made_of_known_words() -> None:
    tokenizer = sentence_tokenizer()
    for key in HAZARDS:
        text = safety_answer(Facts(frozenset(), frozenset(), False, (key,)))
        assert tokenizer.unk_token_id not in tokenizer(text).input_ids
