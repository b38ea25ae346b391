"""What the demo shows and reports, for the recorded conversations and for a user's own."""

import json
from importlib.resources import files

import pytest

from crux_langgraph.cli._briefing import make_handoff
from crux_langgraph.cli._reading import bundled

TOP_KEYS = {"graph", "executor", "max_tokens", "summary", "conversations", "delegated", "triaged"}
CONVERSATION_KEYS = {
    "id": str,
    "messages": int,
    "error": dict | None,
    "tokens": dict,
    "needed": dict,
    "payload": dict | None,
    "context": str | None,
    "prompt": list,
    "answer": str | None,
    "durations_s": dict,
}


def jsonl(path, *values):
    path.write_text("\n".join(map(json.dumps, values)), encoding="utf-8")
    return path


def said(text):
    return {"role": "user", "content": text}


def test_the_demo_shows_the_graph_what_crossed_the_sizes_and_the_durations(command):
    ran = command("demo")
    assert (ran.code, ran.err) == (0, "")
    for part in (
        "tau-bench (MIT, Copyright (c) 2024 Sierra)",
        "researcher --> researcher-to-executor;",
        "1. What the researcher left behind",
        "3 more messages",
        "calls get_reservation_details {'reservation_id': 'GV1N64'}",
        "2. The payload that crossed, ho-",
        "user_id='james_patel_9828'",
        "3. What the executor's prompt contains",
        "human: ## Handoff researcher-to-executor",
        "4. What the executor answered (stand-in)",
        "(stand-in, no model) I would now act for user james_patel_9828",
        "left by the researcher",
        "of that: transform",
        "All conversations",
    ):
        assert part in ran.out


def test_the_default_output_fits_two_screens(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert len(command("demo").out.splitlines()) <= 110


def test_an_orchestrator_calls_the_researcher_as_a_tool(command):
    assert "An orchestrator calls the researcher as a tool" in command("demo").out
    document = command("demo", "--json", "--limit", "1").document
    good, bad = document["delegated"]
    assert json.loads(good["content"])["data"] == document["conversations"][0]["payload"]["data"]
    assert (good["status"], bad["status"], bad["arguments"]) == ("success", "error", {"case": None})
    assert "case: expected a valid string, found NoneType" in bad["content"]


def test_one_turn_of_a_triage_model_makes_two_handoffs_and_a_tool_call(command):
    document = command("demo", "--limit", "1", "--json").document
    case = document["conversations"][0]["id"]
    triaged = document["triaged"]
    assert [call["tool"] for call in triaged["calls"]] == ["transfer_to_bookings", "look_up", "transfer_to_refunds"]
    assert [answer["content"].partition(":")[0] for answer in triaged["answers"]] == [
        "Transferred to bookings.",
        case,
        "Transferred to refunds.",
    ]
    assert {desk: payload["data"] for desk, payload in triaged["received"].items()} == {
        "bookings": {"case": case, "task": "Change the booking."},
        "refunds": {"case": case, "task": "Pay the difference back."},
    }
    words = command("demo", "--limit", "1").words
    assert "One turn of a triage model: two handoffs and a tool call" in words
    assert "received by bookings: Change the booking., refunds: Pay the difference back." in words


def test_nothing_is_triaged_when_the_first_conversation_does_not_cross(command):
    assert command("demo", "--budget", "100", "--limit", "1", "--json").document["triaged"] is None
    assert "One turn of a triage" not in command("demo", "--budget", "100", "--limit", "1").out


def test_nothing_is_delegated_when_the_first_conversation_does_not_cross(command):
    assert command("demo", "--budget", "100", "--limit", "1", "--json").document["delegated"] == []
    assert "An orchestrator" not in command("demo", "--budget", "100", "--limit", "1").out


def test_every_recorded_conversation_crosses_smaller_and_with_all_that_is_needed_later(command):
    conversations = command("demo", "--json").document["conversations"]
    assert len(conversations) == len(bundled()) == 6
    for conversation in conversations:
        assert conversation["tokens"]["after"] < 0.8 * conversation["tokens"]["before"]
        assert conversation["needed"]["values"]
        assert conversation["needed"]["held"] == conversation["needed"]["values"]


def test_the_origin_and_licence_of_the_recordings_ship_with_them():
    data = files("crux_langgraph.cli") / "data"
    assert "Copyright (c) 2024 Sierra" in (data / "LICENSE").read_text(encoding="utf-8")
    assert "tau-bench, commit" in (data / "SOURCE.md").read_text(encoding="utf-8")


def test_the_json_report_is_one_document_with_every_part_in_full(command):
    ran = command("demo", "--json", "--limit", "2")
    document = ran.document
    assert document.keys() == TOP_KEYS
    assert (document["executor"], document["max_tokens"]) == ("stand-in", None)
    assert document["summary"] == {"conversations": 2, "failed": 0}
    for conversation in document["conversations"]:
        assert conversation.keys() == CONVERSATION_KEYS.keys()
        assert all(isinstance(conversation[key], kind) for key, kind in CONVERSATION_KEYS.items())
        assert conversation["durations_s"].keys() == {"researcher", "researcher-to-executor", "executor"}
        system, brief = conversation["prompt"]
        assert system["type"] == "system"
        assert brief == {"type": "human", "content": conversation["context"]}


def test_the_reported_payload_can_be_read_back(command):
    (conversation,) = command("demo", "--json", "--limit", "1").document["conversations"]
    payload = make_handoff(None).from_envelope(conversation["payload"])
    assert payload.context == conversation["context"]
    assert payload.receipt.context_tokens == conversation["tokens"]["after"]


def test_the_same_conversation_gives_the_same_stand_in_answer(command):
    one, other = (command("demo", "--json").document["conversations"] for _ in range(2))
    assert [item["answer"] for item in one] == [item["answer"] for item in other]


def test_a_budget_that_some_do_not_fit_shows_their_error_and_goes_on(command):
    ran = command("demo", "--budget", "300")
    assert ran.code == 1
    assert "Failed: airline-22-2" in ran.out
    assert "> 300" in ran.out
    assert "2. The payload that crossed" in ran.out
    assert "more failures" in command("demo", "--budget", "150").out


def test_every_prompt_keeps_the_budget_and_what_is_pinned(command):
    ran = command("demo", "--budget", "500", "--json")
    assert ran.code == 0
    for conversation in ran.document["conversations"]:
        assert conversation["tokens"]["after"] <= 500
        assert all(words in conversation["context"] for words in conversation["payload"]["data"]["request"])


def test_when_the_first_conversation_fails_its_error_stands_in_place_of_the_payload(command):
    ran = command("demo", "--budget", "100", "--limit", "2")
    assert ran.code == 1
    assert "Failed: airline-15-0" in ran.out
    assert "The payload that crossed" not in ran.out


def test_a_failed_conversation_is_reported_with_its_layer_and_sizes(command):
    ran = command("demo", "--budget", "100", "--limit", "1", "--json")
    (conversation,) = ran.document["conversations"]
    assert ran.code == 1
    assert ran.document["max_tokens"] == 100
    assert ran.document["summary"] == {"conversations": 1, "failed": 1}
    assert (conversation["error"]["layer"], conversation["error"]["type"]) == ("budget", "BudgetError")
    assert conversation["tokens"]["before"] is None
    assert conversation["tokens"]["after"] > 100
    assert (conversation["payload"], conversation["answer"], conversation["prompt"]) == (None, None, [])


def test_a_budget_too_small_for_any_payload_is_refused_in_one_line(command):
    ran = command("demo", "--budget", "10")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("crux-langgraph: --budget 10: ")
    assert ran.err.count("\n") == 1


def test_a_conversation_without_a_user_is_stopped_by_the_contract(command, tmp_path):
    path = jsonl(tmp_path / "mine.jsonl", {"role": "assistant", "content": "hello?"})
    ran = command("demo", "--input", path)
    assert ran.code == 1
    assert "layer: transform" in ran.words
    assert "request: expected" in ran.words
    (conversation,) = command("demo", "--input", path, "--json").document["conversations"]
    assert conversation["tokens"] == {"before": None, "after": None}


def test_a_file_of_ones_own_is_named_and_has_no_column_of_needed_values(command, tmp_path):
    path = jsonl(tmp_path / "mine.jsonl", said("book it"), {"role": "ai", "content": "shall I?"}, said("yes"))
    ran = command("demo", "--input", path)
    assert (ran.code, ran.err) == (0, "")
    assert "Conversations from " in ran.out
    assert "needed afterwards" not in ran.out
    assert "I would now act for the user on: yes On record: nothing." in ran.words


def test_needed_values_may_stand_beside_conversations_that_have_none(command, tmp_path):
    with_needed = {"id": "a", "messages": [said("book HAT 1,250")], "needed": ["hat 1250", "HAT 125"]}
    path = jsonl(tmp_path / "mine.jsonl", with_needed, {"id": "b", "messages": [said("hi")]})
    assert "1 of 2" in command("demo", "--input", path).out


def test_two_conversations_of_one_name_are_two_rows(command, tmp_path):
    path = jsonl(tmp_path / "mine.jsonl", *[{"id": "same", "messages": [said(text)]} for text in ("a", "b")])
    table = command("demo", "--input", path).out.partition("All conversations")[2].partition("An orchestrator")[0]
    assert table.count("same") == 2


def test_a_long_prompt_is_shown_in_part_and_says_so(command, tmp_path):
    path = jsonl(tmp_path / "mine.jsonl", *[said(f"turn {number}") for number in range(80)])
    ran = command("demo", "--input", path)
    assert "more lines ..." in ran.out
    assert "</data " in ran.out
    assert "turn 60" not in ran.out


def test_control_characters_in_a_file_never_reach_the_terminal(command, tmp_path):
    path = jsonl(tmp_path / "mine.jsonl", {"id": "a\x1b[31m", "messages": [said("\x1b[2Jwipe\x07 \x9b31m")]})
    ran = command("demo", "--input", path)
    assert ran.code == 0
    assert not set(ran.out) & {"\x1b", "\x07", "\x9b"}


def test_text_that_is_no_unicode_is_told_and_not_a_traceback(command, tmp_path):
    path = jsonl(tmp_path / "mine.jsonl", {"messages": [said("\ud800")]}, {"messages": [said("fine")]})
    ran = command("demo", "--input", path)
    assert (ran.code, ran.err) == (1, "")
    assert "layer: input" in ran.out


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_progress_is_shown_on_a_terminal_and_only_on_stderr(command, monkeypatch, options):
    assert command("demo", *options).err == ""
    monkeypatch.setenv("FORCE_COLOR", "1")
    ran = command("demo", *options)
    assert "Handing over" in ran.err
    assert "Handing over" not in ran.out
