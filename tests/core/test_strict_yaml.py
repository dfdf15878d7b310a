"""YAML as version 1.2 reads it: no octal, no sexagesimal, no yes for true, no key twice."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vlmis_utils.core.strict_yaml import dump_yaml, parse_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10), ("-3", -3), ("+4", 4), ("0", 0), ("-0", 0), ("0o17", 15), ("0x1F", 31),
        ("1e3", 1000.0), ("1e-6", 1e-6), (".5", 0.5), ("5.", 5.0), ("-1.5E+2", -150.0),
        ("true", True), ("FALSE", False), ("null", None), ("~", None), ("", None), ("Null", None),
        ("yes", "yes"), ("No", "No"), ("on", "on"), ("off", "off"), ("y", "y"), ("tRue", "tRue"),
        ("1:30", "1:30"), ("12:30:45", "12:30:45"), ("1_000", "1_000"), ("0b11", "0b11"),
        ("2024-01-01", "2024-01-01"), ("1.2.3", "1.2.3"), ("e5", "e5"), ("1e", "1e"),
        ("'010'", "010"), ('"yes"', "yes"), ("=", "="), ("clean", "clean"),
    ],
)  # fmt: skip
def test_plain_scalars_by_the_core_schema(text: str, value: object) -> None:
    read = parse_yaml(text)
    assert read == value and type(read) is type(value)


def test_infinity_and_nan() -> None:
    assert parse_yaml("[.inf, -.INF, +.Inf]") == [math.inf, -math.inf, math.inf]
    assert math.isnan(parse_yaml(".NaN"))


@pytest.mark.parametrize("text", ["010", "-010", "+007", "08", "00", "0123456789", "[1, 02]",
                                  "a: 010", "010: a", "{a: {b: [010]}}", "!!int 010"])  # fmt: skip
def test_a_leading_zero_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"octal to some readers: write -?\d+.*line 1"):
        parse_yaml(text)


@pytest.mark.parametrize(
    "text",
    ["a: 1\na: 2", "{a: 1, b: 2, a: 3}", "x:\n  k: 1\n  k: 1", "1: a\n0x1: b", "- {a: 1, 'a': 2}",
     "? a\n: 1\n? a\n: 2", "true: 1\nTRUE: 2"],
)  # fmt: skip
def test_a_key_that_stands_twice_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"stands twice \(line \d\)"):
        parse_yaml(text)


def test_merged_keys_may_be_replaced() -> None:
    text = "base: &b {a: 1, c: 3}\nx:\n  <<: *b\n  a: 2"
    assert parse_yaml(text)["x"] == {"a": 2, "c": 3}


@pytest.mark.parametrize("text", ["a: [", "[" * 5000, "- a\nb", "? [a]\n: b", "\x00", "%YAML 9.9"])
def test_what_is_no_yaml_is_one_line(text: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_yaml(text)
    assert str(error.value) and "\n" not in str(error.value)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8)
    | st.sampled_from(
        ["010", "1e5", "0o17", "yes", "1:30", "null", "~", ".inf", "<<", "2024-01-01"]
    )
)


@given(values=st.dictionaries(st.sampled_from("abcdef"), SCALARS | st.lists(SCALARS, max_size=3)))
def test_what_is_written_reads_back_in_both_versions(values: dict[str, object]) -> None:
    text = dump_yaml(values)
    assert parse_yaml(text) == values
    assert yaml.safe_load(text) == values
