"""Lossless compaction: data as labelled lines and tables, before anything is left out."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from crux_langgraph.compression import estimate_tokens, fit


def compact(value: Any) -> str:
    """Fit into one token less than the value takes as it is."""
    fitted = fit(value, fit(value, 10**6).tokens - 1)
    assert fitted.tier == "compact"
    assert fitted.omitted == ()
    return fitted.text


def test_a_list_of_like_records_becomes_a_table() -> None:
    rows = [{"id": n, "name": f"n{n}", "of | x": "a|b"} for n in range(3)]
    assert compact({"rows": rows}) == 'rows[id | name | "of | x"]\n0 | n0 | "a|b"\n1 | n1 | "a|b"\n2 | n2 | "a|b"'


def test_nested_records_become_labelled_lines() -> None:
    value = {"a": [{"b": {"c": 1, "d": True}, "e": [1.5, "x"]}, {"b": {}, "e": None}], "f": "g"}
    assert compact(value) == "a[0].b.c: 1, d: true\na[0].e: 1.5, x\na[1].b: {}, e: null\nf: g"


def test_a_record_that_holds_its_own_key_is_named_once() -> None:
    value = {"methods": {f"card_{n}": {"id": f"card_{n}", "kind": "visa"} for n in range(70)}}
    assert compact(value).startswith("methods.id: card_0, kind: visa; id: card_1, kind: visa; id: card_2")


@pytest.mark.parametrize(
    "item, shown",
    [
        ("null", '"null"'),
        ("", '""'),
        ("two\nlines", '"two\\nlines"'),
        (" x", '" x"'),
        (None, "null"),
        (False, "false"),
        ("5", "5"),
    ],
)
def test_a_string_is_quoted_when_it_would_read_as_something_else(item: Any, shown: str) -> None:
    assert compact({"deep": {"one": item, "two": ["a", {"b": 1}]}}).startswith(f"deep.one: {shown}")


def test_strange_keys_are_quoted() -> None:
    assert '"a: b"' in compact({"a: b": [1, 2, 3], "c": [{"d\ne": 1, "f": []}]})


def test_json_inside_a_string_is_read_as_data() -> None:
    inner = json.dumps({"price": 1.10, "of": [{"a": 1}, {"a": 2}]}, indent=4)
    assert "result.price: 1.1\nresult.of[a]\n1\n2" in compact({"result": inner + " " * 200, "n": 1})


def test_numbers_keep_every_digit_that_was_written() -> None:
    text = '{"amount": 1.10, "id": 123456789012345678901234567890, "big": 1E5, "nan": NaN}' + " " * 60
    assert compact(text) == "amount: 1.10, id: 123456789012345678901234567890, big: 1E5, nan: NaN"


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "{not json}", "[" * 100_000, "{}", '"plain"'])
def test_what_json_cannot_hold_as_a_value_stays_text(text: str) -> None:
    assert fit(text, 10**6).text == text
    assert fit([{"role": "user", "content": text + " " + "word " * 500}], 100).tokens <= 100


def test_values_of_other_types_are_written_as_json_would() -> None:
    value = {"when": datetime(2026, 1, 2, tzinfo=UTC), "cost": Decimal("1.5"), "of": {"b", "a"}, "pair": (1, 2)}
    assert json.loads(fit(value, 500).text) == {
        "when": "2026-01-02T00:00:00Z",
        "cost": "1.5",
        "of": ["a", "b"],
        "pair": [1, 2],
    }


def test_a_scalar_or_an_empty_payload_is_no_obstacle() -> None:
    for value, text in (
        (5, "5"),
        (None, "null"),
        ({}, "{}"),
        ([], "[]"),
        ("", ""),
        ([[], [1]], "[\n  [],\n  [\n    1\n  ]\n]"),
    ):
        assert fit(value, 60).text == text


def test_a_list_at_the_root_is_numbered() -> None:
    assert compact([{"a": {"b": 1}}, 7, "text", [1, 2]]) == "[0].a.b: 1\n[1]: 7\n[2]: text\n[3]: 1, 2"


def test_prose_keeps_its_lines_and_indentation() -> None:
    code = "def f():\n    return 1\n\n\nprint(f())   \n" + "# " + "word " * 60
    messages = [
        {"role": "ai", "content": code},
        {"role": "tool", "content": json.dumps({"a": {"b": 1}, "c": "d"}, indent=8)},
    ]
    assert compact(messages).startswith("ai: def f():\n    return 1\nprint(f())\n# word")


def test_the_compact_form_takes_fewer_tokens() -> None:
    rows = [{"id": n, "name": "some name", "price": n / 2} for n in range(50)]
    assert estimate_tokens(compact(rows)) < 0.6 * estimate_tokens(json.dumps(rows, indent=2))
