"""Conversations: what is a message, how it reads, and that a call and its result stay together."""

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from pydantic import BaseModel

from crux_langgraph import Handoff
from crux_langgraph.compression import fit

LONG = " ".join(f"Flight HAT{n} leaves at gate {n}." for n in range(300))


def calls_and_results(text: str) -> list[tuple[bool, bool]]:
    return [(f"-> look_up(key=k{n})" in text, f"value-{n}" in text or f"tool{n}:" in text) for n in range(30)]


def history() -> list[AnyMessage]:
    messages: list[AnyMessage] = [HumanMessage("Look all of them up.")]
    for n in range(30):
        messages.append(AIMessage("", tool_calls=[{"name": "look_up", "args": {"key": f"k{n}"}, "id": f"c{n}"}]))
        messages.append(
            ToolMessage(
                json.dumps({"value": f"value-{n}", "more": "words " * n}), tool_call_id=f"c{n}", name=f"tool{n}"
            )
        )
    return messages


def test_messages_that_fit_are_lines_of_name_and_content() -> None:
    messages = [
        {"role": "user", "name": "Ann", "content": "Hi"},
        {"role": "assistant", "content": "", "tool_calls": [{"name": "f", "args": {"a": "ü"}}]},
        {"role": "tool", "content": "1"},
        {"role": "assistant", "content": None},
    ]
    fitted = fit(messages, 500)
    assert fitted.text == 'Ann: Hi\nassistant: -> f({"a": "ü"})\ntool: 1\nassistant: '
    assert fitted.tier == "verbatim"


def test_messages_of_langchain_and_of_providers_read_alike() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    ours = [HumanMessage("Hi"), AIMessage("So", tool_calls=[{"name": "f", "args": {"a": 1}, "id": "1"}])]
    theirs = [{"type": "human", "content": "Hi"}, {"role": "ai", "content": "So", "tool_calls": [call]}]
    assert fit(ours, 500).text == fit(theirs, 500).text == 'human: Hi\nai: So\n-> f({"a": 1})'


def test_content_blocks_are_shown_as_text_or_by_their_type() -> None:
    blocks = [
        {"type": "text", "text": "See"},
        "this",
        {"type": "image", "data": "AAAA"},
        {"type": "tool_use", "input": 1},
    ]
    assert fit([HumanMessage(blocks)], 500).text == "human: See\nthis\n[image]"


def test_a_strange_call_is_shown_as_far_as_it_goes() -> None:
    messages = [{"role": "ai", "content": "", "tool_calls": ["odd", {"name": "f", "args": "{not json"}, {"name": "g"}]}]
    text = fit(messages, 500).text
    assert "-> odd({})" in text
    assert '-> f("{not json")' in text
    assert (
        "f({not json)" in fit([*messages, {"role": "ai", "content": "\n\n\n[1, 2, 3, 4, 5, 6, 7]" + " " * 40}], 45).text
    )


@pytest.mark.parametrize("budget", [60, 120, 250, 500, 900])
def test_a_call_and_its_result_are_kept_together(budget: int) -> None:
    text = fit(history(), budget).text
    assert any(call for call, _ in calls_and_results(text))
    assert all(call == result for call, result in calls_and_results(text))


@pytest.mark.parametrize("budget", [150, 400, 900, 2_000])
def test_in_a_field_of_messages_too_a_call_and_its_result_are_kept_together(budget: int) -> None:
    class Handed(BaseModel):
        task: str
        messages: list[AnyMessage]

    contract = Handoff.of(Handed, id="x", max_tokens=budget)
    text = contract.prepare(Handed(task="Find k7.", messages=history())).context
    assert any(call for call, _ in calls_and_results(text))
    assert all(call == result for call, result in calls_and_results(text))


def test_results_without_ids_belong_to_the_calls_in_order() -> None:
    messages: list[Any] = []
    for n in range(30):
        messages.append(
            {"role": "assistant", "content": "", "tool_calls": [{"name": "look_up", "args": {"key": f"k{n}"}}]}
        )
        messages.append({"role": "tool", "name": f"tool{n}", "content": f"value-{n} " + "is the value. " * n})
    text = fit(messages, 300).text
    assert all(call == result for call, result in calls_and_results(text))


def test_a_result_of_an_unknown_call_stands_alone() -> None:
    messages = [*history()[:1], ToolMessage(LONG, tool_call_id="gone", name="lost"), *history()[1:]]
    assert "lost: " in fit(messages, 400, focus=["flight"]).text


def test_a_result_before_any_call_stands_alone() -> None:
    assert "tool: " in fit([{"role": "tool", "content": LONG}], 100).text


def test_long_arguments_of_a_call_are_cut_below_it() -> None:
    call = {"name": "write", "args": {"path": "a.txt", "body": LONG}, "id": "1"}
    text = fit([AIMessage("", tool_calls=[call])], 300).text
    assert "-> write(path=a.txt)" in text
    assert "-> write(body): " in text


def test_a_call_without_a_result_shown_has_a_mark_where_it_was() -> None:
    messages = [
        AIMessage("", tool_calls=[{"name": "unusual_ID_77", "args": {"key": "ZX81"}, "id": "1"}]),
        ToolMessage("nothing of note here " * 40, tool_call_id="1", name="res"),
        HumanMessage(LONG),
    ]
    text = fit(messages, 110, focus=["ZX81"]).text
    assert "-> unusual_ID_77(key=ZX81)\nres: …" in text


def test_messages_in_a_field_keep_their_speakers() -> None:
    class Brief(BaseModel):
        messages: list[AnyMessage]
        notes: str

    brief = Brief(messages=[HumanMessage("Hi"), AIMessage("Ho")], notes="n")
    assert json.loads(fit(brief, 500).text)["messages"] == ["human: Hi", "ai: Ho"]
    text = fit(
        brief.model_copy(update={"notes": LONG, "messages": [HumanMessage("Send it to Rome"), AIMessage("I did")]}), 300
    ).text
    assert "messages.human: Send it to Rome\n" in text


def test_data_that_only_looks_like_messages_stays_data() -> None:
    value = {"users": [{"role": "admin", "content": None, "since": 3}]}
    assert json.loads(fit(value, 500).text) == value


@pytest.mark.parametrize(
    "value", [[], [1], [{"role": "user"}], [{"role": "user", "content": 3}], [object()], [HumanMessage("x"), 1]]
)
def test_a_list_of_anything_else_is_no_conversation(value: list[Any]) -> None:
    assert fit(value, 2_000).text[:1] == "["


def test_an_object_with_other_content_is_no_message() -> None:
    class Thing(BaseModel):
        type: str
        content: int

    assert json.loads(fit([Thing(type="ai", content=1)], 500).text) == [{"type": "ai", "content": 1}]


def meeting(extra: str = "") -> list[dict[str, str]]:
    said = [f"So , uh , the the report {n} {{disfmarker}} is due in week {n} , you know , ." for n in range(60)]
    said[30] = f"No , I think it 's it 's not ready . {extra}"
    return [{"role": "speaker", "name": f"PhD {'ABC'[n % 3]}", "content": text} for n, text in enumerate(said)]


def test_speech_loses_hesitations_and_stutters_only() -> None:
    text = fit(meeting(), 400, task="Is it ready?").text
    assert "uh" not in text
    assert "disfmarker" not in text
    assert "the the" not in text
    assert "No, I think it's not ready." in text


def test_speech_that_fits_is_not_tidied() -> None:
    assert "{disfmarker}" in fit(meeting(), 100_000).text


@pytest.mark.parametrize("task", ["What does PhD B say about the report?", "What is the opinion of PhD B?"])
def test_what_a_named_speaker_says_comes_forward(task: str) -> None:
    text = fit(meeting(), 200, task=task).text
    assert text.count("PhD B:") > text.count("PhD A:")


def test_a_speaker_is_named_once_for_adjacent_sentences() -> None:
    talk = [
        {"role": "speaker", "name": "Ann", "content": f"Item {n} costs {n} euro. Item {n} is red."} for n in range(40)
    ]
    text = fit(talk, 400).text
    assert "euro. Item" in text
    assert "\nAnn: " not in text


def test_a_speaker_comes_forward_only_when_named_in_full() -> None:
    task = "What is said about the report?"
    assert fit(meeting(), 200, task=f"{task} By PhD?") == fit(meeting(), 200, task=task)


def test_a_task_that_is_a_turn_of_the_conversation_is_no_query() -> None:
    messages = [{"role": "user", "content": "Yes, go\nahead"}, {"role": "assistant", "content": LONG}]
    assert fit(messages, 200, task="Yes, go") != fit(messages, 200, task="which one has gate 200?")
    assert fit(messages, 200, task="Yes, go ahead") == fit(messages, 200)
