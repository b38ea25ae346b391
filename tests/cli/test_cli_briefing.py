"""The demo's transform: what the executor is told of all that the researcher left."""

from crux_langgraph.cli._briefing import Lookup, Research, Turn, brief_from, make_handoff


def looked_up(result, tool="find", **arguments):
    return Lookup(tool=tool, arguments=arguments, result=result)


def brief(*lookups, turns=(("user", "do it"),)):
    return brief_from(Research(turns=[Turn(speaker=who, text=text) for who, text in turns], lookups=list(lookups)))


def test_the_request_is_what_the_user_said_and_the_reply_is_what_they_were_told_last():
    told = brief(turns=[("user", "a"), ("assistant", "one"), ("assistant", "two"), ("user", "yes")])
    assert (told.request, told.last_reply) == (["a", "yes"], "two")


def test_a_lookup_that_was_repeated_counts_once_with_its_newest_answer():
    told = brief(looked_up("1", a=1, b=2), looked_up("2", b=2, a=1), looked_up("3", a=3))
    assert [record.found for record in told.records] == [["2"], ["3"]]


def test_a_lookup_that_found_nothing_is_left_out():
    assert brief(looked_up(" "), looked_up("")).records == []


def test_each_item_of_a_list_is_a_line_without_quotes_and_brackets():
    (record,) = brief(looked_up('[{"flight": "HAT1", "price": 5, "legs": [{"to": "SEA"}, "x"]}, true, null]')).records
    assert record.found == ["flight HAT1, price 5, legs ((to SEA); x)", "true", "null"]


def test_a_result_that_is_no_json_is_handed_over_as_it_is():
    assert brief(looked_up("Error: none {")).records[0].found == ["Error: none {"]


def test_a_result_nested_beyond_reading_is_handed_over_as_it_is():
    deep = "[" * 100_000
    assert brief(looked_up(deep)).records[0].found == [deep]


def test_the_user_is_known_by_the_first_lookup_that_names_them():
    assert brief(looked_up('{"user_id": 7}'), looked_up("x", user_id="mia")).user_id == "mia"
    assert brief(looked_up('{"user_id": "bob"}')).user_id == "bob"
    assert brief(looked_up("[1]")).user_id is None


def test_the_handoff_measures_both_sides_before_the_payload_crosses():
    payload = make_handoff(None).prepare({"turns": [{"speaker": "user", "text": "hi"}], "lookups": []})
    assert payload.to_envelope()["receipt"]["measured"].keys() == {"input_tokens", "context_tokens"}
