"""Files of the user: every shape that is read, and one clear line for every one that cannot be."""

import json
import os
from contextlib import contextmanager

import pytest

from crux_langgraph.cli._briefing import left_behind
from crux_langgraph.cli._reading import read_file
from crux_langgraph.cli._stopping import StopError

USER = {"role": "user", "content": "hi"}
CALL = {"name": "find", "args": {"q": 1}}


def write(tmp_path, content, name="mine.json"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def research(*messages, tmp_path):
    (conversation,) = read_file(write(tmp_path, json.dumps(messages)))
    return left_behind({"messages": list(conversation.messages)})


GOOD = {
    "a list of messages": (json.dumps([USER, USER]), [2]),
    "one object with messages": (json.dumps({"messages": [USER]}), [1]),
    "one message": (json.dumps(USER), [1]),
    "a list of objects": (json.dumps([{"messages": [USER]}, {"messages": [USER, USER]}]), [1, 2]),
    "a list of lists": (json.dumps([[USER], [USER, USER]]), [1, 2]),
    "a message per line": (f"{json.dumps(USER)}\n\n{json.dumps(USER)}\n", [2]),
    "an object per line": (f"{json.dumps({'messages': [USER]})}\r\n{json.dumps([USER, USER])}", [1, 2]),
    "indented JSON": (json.dumps({"messages": [USER]}, indent=2), [1]),
    "a byte order mark": (b"\xef\xbb\xbf" + json.dumps([USER]).encode(), [1]),
    "a line separator inside a text": (json.dumps([{"role": "user", "content": "a\u2028b"}], ensure_ascii=False), [1]),
}


@pytest.mark.parametrize("content, sizes", GOOD.values(), ids=GOOD)
def test_json_and_jsonl_of_messages_and_of_conversations_are_read(tmp_path, content, sizes):
    assert [len(found.messages) for found in read_file(write(tmp_path, content))] == sizes


def test_conversations_are_named_by_their_id_or_their_place(tmp_path):
    lines = [{"id": "first", "messages": [USER]}, {"id": 7, "messages": [USER]}, {"id": " ", "messages": [USER]}]
    path = write(tmp_path, "\n".join(map(json.dumps, lines)), "mine.jsonl")
    assert [found.id for found in read_file(path)] == ["first", "mine line 2", "mine line 3"]


BAD = {
    "empty": ("", "the file is empty"),
    "blank": (" \n\n", "the file is empty"),
    "binary": (b"\x89PNG\0\0", "this is a binary file"),
    "utf-16": ("[]".encode("utf-16"), "the text is UTF-16; save it as UTF-8"),
    "latin-1": (b'[{"role": "user",\n"content": "caf\xe9"}]', "line 2: byte 0xe9 is not UTF-8"),
    "no json": ("hello", "line 1, column 1: this is not JSON"),
    "cut off": ('[\n{"role": "user",\n', "line 3, column 1: this is not JSON"),
    "a bad line": (f"{json.dumps(USER)}\nnope\n", "line 2, column 1: this is not JSON"),
    "not a number": ('[{"role": "user", "content": NaN}]', "line 1: NaN is not JSON"),
    "too deep": ("[" * 100_000, "line 1: the JSON is nested too deeply"),
    "an empty list": ("[]", "the list is empty"),
    "a number": ("7", 'expected {"messages": [...]} or a list of messages, found a number'),
    "a text": ('"hi"', "found a text"),
    "a boolean": ("true", "found true or false"),
    "null": ("null", "found null"),
    "another object": ('{"text": "hi"}', "found an object without them"),
    "no messages": ('{"messages": []}', "the conversation has no messages"),
    "messages that are no list": ('{"messages": {"role": "user"}}', "expected"),
    "a message among conversations": (json.dumps([{"messages": [USER]}, USER]), "item 2: expected"),
    "a number among messages": (json.dumps([USER, 7]), "item 2: expected a message, an object with role and content"),
    "an unknown role": (json.dumps([USER, {"role": "robot", "content": "x"}]), "item 2: unknown role; use user"),
    "no role": (json.dumps({"messages": [USER, {"content": "x"}]}), 'message 2: the message has no "role"'),
    "a role that is no text": (json.dumps([{"role": ["user"], "content": "x"}]), "item 1: unknown role"),
    "no content": (json.dumps([{"role": "user"}]), "item 1: it has neither content nor tool_calls"),
    "content of a wrong type": (json.dumps([{"role": "user", "content": 7}]), "item 1: content"),
    "a call without a name": (json.dumps([{"role": "assistant", "tool_calls": [{"id": "1"}]}]), "tool_calls.0"),
    "arguments that are no JSON": (
        json.dumps([{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}]),
        "tool_calls.0",
    ),
}


@pytest.mark.parametrize("content, told", BAD.values(), ids=BAD)
def test_a_bad_file_is_one_clear_line_and_exit_code_2(command, tmp_path, content, told):
    path = write(tmp_path, content)
    ran = command("demo", "--input", path)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"crux-langgraph: {path}: ")
    assert told in ran.err
    assert ran.err.count("\n") == 1


def test_a_bad_first_line_of_a_jsonl_file_is_named_as_such(command, tmp_path):
    path = write(tmp_path, '{"messages": [\n{"messages": []}', "mine.JSONL")
    assert "line 1, column" in command("demo", "--input", path).err


def test_a_bad_message_in_a_line_is_named_by_line_and_number(command, tmp_path):
    lines = [{"messages": [USER]}, {"messages": [USER, {"role": "robot", "content": "x"}]}]
    path = write(tmp_path, "\n".join(map(json.dumps, lines)))
    assert "line 2, message 2: unknown role" in command("demo", "--input", path).err


def test_a_missing_file_a_directory_and_an_impossible_name_are_told(command, tmp_path):
    assert "there is no such file" in command("demo", "--input", tmp_path / "none").err
    assert "this is a directory" in command("demo", "--input", tmp_path).err
    assert "it cannot be read: " in command("demo", "--input", tmp_path / ("x" * 300)).err


@contextmanager
def unprivileged():
    """Drop root's right to read everything, where tests run as root."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def test_a_file_that_may_not_be_read_is_told(tmp_path):
    path = write(tmp_path, "[]")
    path.chmod(0)
    with unprivileged(), pytest.raises(StopError, match="no permission to read this file"):
        read_file(path)


def test_a_dash_reads_stdin(command):
    ran = command("demo", "--input", "-", stdin=json.dumps([USER]).encode())
    assert (ran.code, ran.err) == (0, "")
    assert "Conversations from stdin." in ran.out
    assert (
        command("demo", "--input", "-").err
        == "crux-langgraph: stdin: the file is empty; give JSON or JSONL with messages\n"
    )


ANSWERED = [{"tool": "find", "arguments": {"q": 1}, "result": "found"}]
SPELLINGS = {
    "OpenAI": (
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "find", "arguments": '{"q": 1}'}}]},
        {"role": "tool", "tool_call_id": "c", "content": "found"},
    ),
    "LangChain": (
        {"type": "ai", "content": "", "tool_calls": [{**CALL, "id": "c", "type": "tool_call"}]},
        {"type": "tool", "content": "found", "tool_call_id": "c"},
    ),
    "LangChain, stored": (
        {"type": "ai", "data": {"content": "", "tool_calls": [{**CALL, "id": "c"}]}},
        {"type": "tool", "data": {"content": [{"type": "text", "text": "found"}], "tool_call_id": "c"}},
    ),
    "without ids": (
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "name": "find", "content": "found"},
    ),
    "without ids and names": (
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "function", "content": "found"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("messages", SPELLINGS.values(), ids=SPELLINGS)
def test_a_tool_result_finds_its_call_in_every_spelling(tmp_path, messages):
    assert research(USER, *messages, tmp_path=tmp_path)["lookups"] == ANSWERED


def test_results_without_ids_go_to_the_calls_of_their_name_in_order(tmp_path):
    calls = [{"name": "a", "args": {"n": 1}}, {"name": "b", "args": {"n": 2}}, {"name": "b", "args": {"n": 3}}]
    results = [{"role": "tool", "name": name, "content": name} for name in ("b", "a", "b", "b")]
    found = research({"role": "assistant", "tool_calls": calls}, *results, tmp_path=tmp_path)
    assert [lookup["arguments"] for lookup in found["lookups"]] == [{"n": 2}, {"n": 1}, {"n": 3}, {}]


def test_a_result_without_any_call_is_kept_as_a_lookup_of_a_tool(tmp_path):
    found = research({"role": "tool", "content": "found"}, tmp_path=tmp_path)
    assert found["lookups"] == [{"tool": "tool", "arguments": {}, "result": "found"}]


def test_a_call_id_that_is_used_again_means_the_call_before_the_result(tmp_path):
    rounds = [
        part
        for number in (1, 2)
        for part in (
            {"role": "ai", "tool_calls": [{"id": "c", "name": "find", "args": {"q": number}}]},
            {"role": "tool", "tool_call_id": "c", "content": "found"},
        )
    ]
    found = research(*rounds, tmp_path=tmp_path)
    assert [lookup["arguments"] for lookup in found["lookups"]] == [{"q": 1}, {"q": 2}]


def test_the_researchers_own_instructions_stay_behind(tmp_path):
    spoken = [{"role": role, "content": role} for role in ("system", "developer", "human", "assistant")]
    turns = research(*spoken, tmp_path=tmp_path)["turns"]
    assert [turn["speaker"] for turn in turns] == ["user", "assistant"]


@pytest.mark.parametrize("arguments", ["", None])
def test_a_call_without_arguments_is_a_call(tmp_path, arguments):
    call = {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "find", "arguments": arguments}}]}
    found = research(call, {"role": "tool", "tool_call_id": "c", "content": "x"}, tmp_path=tmp_path)
    assert found["lookups"][0]["arguments"] == {}
