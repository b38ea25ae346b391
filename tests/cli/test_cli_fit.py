"""`crux-langgraph fit`: what it reads, what it shows of it, and one line for whatever is wrong."""

import io
import json

import pytest
from rich.console import Console

from crux_langgraph import estimate_tokens, fit
from crux_langgraph.cli import _fitting
from crux_langgraph.cli._fitting import fit_file
from crux_langgraph.cli._parts import parts_table
from crux_langgraph.compression import FittedPart

RAIN = " ".join(f"Station {n} measured {n * 7 % 31} mm of rain." for n in range(300))
REPORT = {"question": "How wet was it?", "findings": RAIN, "sources": ["https://example.com/rain"]}
MESSAGES = [
    {"role": "user", "content": "Where is A7?"},
    {"role": "assistant", "content": RAIN},
    {"role": "user", "content": "And the crates of A7?"},
]


@pytest.fixture
def write(tmp_path):
    def _write(content, name="report.json"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write


def lines(values):
    return "\n".join(map(json.dumps, values))


FILES = {
    "a JSON document": ("report.json", json.dumps(REPORT), REPORT),
    "indented JSON in a text file": ("report.txt", json.dumps(REPORT, indent=1), REPORT),
    "messages in a list": ("chat.json", json.dumps(MESSAGES), MESSAGES),
    "messages, one on each line": ("chat.jsonl", lines(MESSAGES), MESSAGES),
    "messages in a file of another name": ("chat.log", lines(MESSAGES), MESSAGES),
    "one message in a file of lines": ("chat.jsonl", lines(MESSAGES[:1]), MESSAGES[:1]),
    "text": ("notes.md", RAIN, RAIN),
    "text that looks like JSON at first": ("notes.txt", "[1] See there.\n[2] " + RAIN, "[1] See there.\n[2] " + RAIN),
    "text without a suffix": ("NOTES", "{" + RAIN, "{" + RAIN),
}


@pytest.mark.parametrize("name, content, value", FILES.values(), ids=FILES)
def test_json_lines_of_json_and_text_are_fitted(command, write, name, content, value):
    ran = command("fit", write(content, name), "--budget", 150, "--task", "Find A7.", "--json")
    expected = fit(value, 150, task="Find A7.")
    assert (ran.code, ran.err) == (0, "")
    assert (ran.document["context"], ran.document["tier"]) == (expected.text, expected.tier)
    assert ran.document["parts"] == [part._asdict() for part in expected.parts]
    assert estimate_tokens(ran.document["context"]) == ran.document["tokens"] <= 150
    assert (ran.document["budget"], ran.document["counter"]) == (150, "estimate")
    assert (ran.document["summary"], ran.document["model"]) == (None, None)


def test_a_dash_reads_stdin(command):
    ran = command("fit", "-", "--budget", 40, stdin=b"It rained. " * 200)
    assert ran.code == 0
    assert "It rained." in ran.out


def test_the_text_stands_above_a_table_of_what_was_kept_cut_and_why(command, write):
    ran = command("fit", write(json.dumps(REPORT)), "--budget", 200)
    expected = fit(REPORT, 200)
    assert ran.out.startswith(expected.text + "\n")
    assert f"{expected.tokens} of 200 tokens (estimated), extract" in ran.out
    for part in expected.parts:
        assert f"{part.path} {part.tokens_before:,} {part.tokens_after:,}" in ran.words.replace("█", "").replace(
            "  ", " "
        )
        assert part.reason in ran.words


def test_what_fits_is_shown_whole(command, write):
    ran = command("fit", write("All dry.", "notes.txt"), "--budget", 200)
    assert ran.out.startswith("All dry.\n")
    assert "verbatim" in ran.out
    assert "(all)" in ran.out


def test_control_characters_of_a_file_do_not_reach_the_terminal(command, write):
    ran = command("fit", write("It is \x1b[1mloud\x07.", "notes.txt"), "--budget", 200)
    assert "It is �[1mloud�." in ran.out
    assert "\x1b" not in ran.out


BAD = {
    "empty": ("a.txt", " \n", "the file is empty; give JSON, JSONL or text"),
    "cut off": ("a.json", '{"a": ', "line 1, column 7: this is not JSON"),
    "a bad line": ("a.jsonl", '{"a": 1}\n{"a": \n', "line 2, column 7: this is not JSON"),
    "binary": ("a.txt", b"\x89PNG\0", "this is a binary file"),
    "latin-1": ("a.txt", b"caf\xe9", "line 1: byte 0xe9 is not UTF-8"),
    "too deep": ("a.json", "[" * 100_000, "the JSON is nested too deeply"),
}


@pytest.mark.parametrize("name, content, told", BAD.values(), ids=BAD)
def test_a_bad_file_is_one_clear_line(command, write, name, content, told):
    ran = command("fit", write(content, name), "--budget", 200)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith("crux-langgraph: ")
    assert name in ran.err
    assert told in ran.err


def test_a_missing_file_and_a_missing_budget_are_told(command, write, tmp_path):
    ran = command("fit", tmp_path / "none.json", "--budget", 200)
    assert (ran.code, ran.err.count("\n"), "there is no such file" in ran.err) == (2, 1, True)
    ran = command("fit", write("text"))
    assert (ran.code, "Missing option '--budget'" in ran.err) == (2, True)


def test_a_model_writes_the_prose_of_what_does_not_fit(command, write, server):
    server.answer = "All stations measured rain. Station 9999 measured none."
    ran = command("fit", write(json.dumps(REPORT)), "--budget", 200, "--model", "openai:scripted", "--task", "Say it.")
    assert ran.code == 0
    assert ran.out.startswith("Summary of findings:\nAll stations measured rain.\n\n{")
    assert "model: 1 calls," in ran.out
    assert "the deterministic fit stepped in: invented" in ran.out
    assert "removed, since the file does not say so: Station 9999 measured none." in ran.words
    [request] = server.requests
    assert "Say it." in request["messages"][0]["content"]


def test_of_an_answer_that_is_used_as_it_is_only_its_cost_is_told(command, write, server):
    server.answer = "All stations measured rain."
    ran = command("fit", write(RAIN, "notes.txt"), "--budget", 200, "--model", "openai:scripted")
    assert ran.out.startswith("Summary:\nAll stations measured rain.\n")
    assert ran.out.splitlines()[-1].startswith("model: 1 calls,")


def test_a_model_that_fails_leaves_the_deterministic_fit(command, write, server):
    server.status = 401
    ran = command("fit", write(json.dumps(REPORT)), "--budget", 200, "--model", "openai:scripted", "--json")
    assert (ran.code, ran.document["summary"]) == (0, None)
    assert ran.document["context"] == fit(REPORT, 200).text
    assert (ran.document["model"]["degraded"], ran.document["model"]["calls"]) == (["provider_error"], 1)


@pytest.mark.parametrize("value", ["All dry.", [{"a": n, "b": f"text {n}"} for n in range(400)]])
def test_a_model_is_not_asked_for_what_fits_or_has_no_prose(command, write, server, value):
    ran = command("fit", write(json.dumps(value)), "--budget", 100, "--model", "openai:scripted", "--json")
    assert (ran.code, ran.document["model"], server.requests) == (0, None, [])


def test_a_model_that_cannot_be_made_is_one_line(command, write):
    ran = command("fit", write("text", "notes.txt"), "--budget", 10, "--model", "gpt")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "give provider:name" in ran.err


def test_long_work_is_followed_on_a_terminal(monkeypatch, write):
    shown = io.StringIO()
    monkeypatch.setattr(_fitting, "Console", lambda **_: Console(file=shown, force_terminal=True))
    done = fit_file(write(RAIN, "notes.txt"), 100, "", None)
    assert done.fitted.tokens <= 100
    assert "Fitting" in shown.getvalue()


def test_a_narrow_terminal_has_no_bars_and_a_long_account_is_cut():
    parts = [FittedPart(f"field_{n}", n, n // 2, "extract", "some of it fits") for n in range(60)]
    console = Console(file=io.StringIO(), width=60)
    console.print(parts_table("Parts", parts, narrow=True))
    printed = console.file.getvalue()
    assert "█" not in printed
    assert "field_59" in printed
    assert "field_19 " not in printed
    assert "the 40 largest of 60 parts" in printed


def test_the_demo_shows_the_same_table(command):
    ran = command("demo", "--limit", 1)
    assert "What was kept, cut and why" in ran.out
    assert "everything fits as it is" in ran.out
