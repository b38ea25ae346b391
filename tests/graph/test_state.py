"""The channel's reducer: bounded, idempotent, and never losing a sibling."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crux_langgraph.graph import merge_handoffs


def record(handoff: str, round_: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"handoff": handoff, "round": round_, **more}


def test_a_later_round_replaces_the_records_of_the_same_handoff() -> None:
    before = {"1": record("h", {"": "a"}), "2": record("h", {"": "a"}), "3": record("other", {"": "a"})}
    assert merge_handoffs(before, {"4": record("h", {"": "b"})}).keys() == {"3", "4"}


def test_records_of_one_round_stay_side_by_side() -> None:
    merged = merge_handoffs({"1": record("h", {"": "a"})}, {"2": record("h", {"": "a"})})
    assert list(merged) == ["1", "2"]


def test_a_replay_replaces_its_own_record() -> None:
    merged = merge_handoffs({"1": record("h", {"": "a"}, data=1)}, {"1": record("h", {"": "a"}, data=2)})
    assert merged == {"1": record("h", {"": "a"}, data=2)}


def test_a_stale_record_that_a_subgraph_hands_back_is_ignored() -> None:
    now = {"2": record("h", {"": "b"})}
    assert merge_handoffs(now, {"1": record("h", {"": "a"})}) == now


def test_records_of_parallel_subgraphs_are_of_one_round() -> None:
    left = {"1": record("h", {"": "a", "s:1": "x"})}
    assert merge_handoffs(left, {"2": record("h", {"": "a", "s:2": "y"})}).keys() == {"1", "2"}


def test_a_later_round_inside_one_subgraph_replaces() -> None:
    left = {"1": record("h", {"": "a", "s:1": "x"})}
    assert merge_handoffs(left, {"2": record("h", {"": "a", "s:1": "y"})}).keys() == {"2"}


def test_a_record_put_in_by_hand_gives_way_to_a_round_of_the_graph() -> None:
    assert merge_handoffs({"1": record("h", {})}, {"2": record("h", {"": "a"})}).keys() == {"2"}


def test_records_put_in_by_hand_stay_side_by_side() -> None:
    assert merge_handoffs({"1": record("h", {})}, {"2": record("h", {})}).keys() == {"1", "2"}


def test_none_removes_a_record_and_an_unknown_id_is_no_error() -> None:
    assert merge_handoffs({"1": record("h", {"": "a"})}, {"1": None, "2": None}) == {}


def test_what_is_no_record_is_passed_over() -> None:
    assert merge_handoffs({"1": "odd"}, {"2": 5, "3": record("h", {"": "a"})}).keys() == {"3"}


def test_an_unset_channel_is_an_empty_one() -> None:
    assert merge_handoffs(None, None) == {}


def by_id(entries: list[tuple[str, int, str]]) -> dict[str, Any]:
    return {f"{handoff}{number}": record(handoff, {"": round_}) for handoff, number, round_ in entries}


ENTRIES = st.tuples(st.sampled_from("hi"), st.integers(1, 4), st.sampled_from("abc"))
RECORDS = st.lists(ENTRIES).map(by_id)


@given(RECORDS, RECORDS)
def test_merging_is_idempotent_and_keeps_one_round_per_handoff(left: dict[str, Any], right: dict[str, Any]) -> None:
    clean = merge_handoffs({}, left)
    merged = merge_handoffs(clean, right)
    assert merge_handoffs(merged, right) == merged
    for handoff in ("h", "i"):
        assert len({str(one["round"]) for one in merged.values() if one["handoff"] == handoff}) <= 1


@given(RECORDS, RECORDS)
def test_merging_changes_neither_side(left: dict[str, Any], right: dict[str, Any]) -> None:
    before = (repr(left), repr(right))
    merge_handoffs(left, right)
    assert (repr(left), repr(right)) == before


@given(RECORDS)
def test_the_newest_round_always_wins(records: dict[str, Any]) -> None:
    merged = merge_handoffs({}, records)
    for handoff in ("h", "i"):
        newest = max((one["round"][""] for one in records.values() if one["handoff"] == handoff), default=None)
        assert {one["round"][""] for one in merged.values() if one["handoff"] == handoff} <= {newest}


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2) | st.integers(), inner, max_size=2),
    max_leaves=6,
)
ODD_RECORD = st.fixed_dictionaries({"handoff": st.sampled_from(["h", None, 1]), "round": ODD}) | ODD
ODD_CHANNEL = st.dictionaries(st.sampled_from("123"), ODD_RECORD, max_size=3) | ODD


@given(ODD_CHANNEL, ODD_CHANNEL)
def test_whatever_a_checkpoint_holds_the_reducer_never_raises(left: Any, right: Any) -> None:
    assert all(isinstance(one, dict) for one in merge_handoffs(left, right).values())


@given(st.permutations(list("abcd")), st.sampled_from(["1", "2"]))
def test_siblings_of_one_round_are_kept_in_whatever_order_they_come(order: list[str], older: str) -> None:
    channel = merge_handoffs({}, {"old": record("h", {"": older})})
    for key in order:
        channel = merge_handoffs(channel, {key: record("h", {"": "3"})})
    assert list(channel) == order


@given(st.lists(st.tuples(st.sampled_from("hi"), st.sampled_from("abcdef")), max_size=8))
def test_after_any_sequence_of_writes_only_the_newest_round_is_left(writes: list[tuple[str, str]]) -> None:
    channel: dict[str, Any] = {}
    for number, (handoff, round_) in enumerate(writes):
        channel = merge_handoffs(channel, {str(number): record(handoff, {"": round_})})
    for handoff in "hi":
        newest = max((round_ for name, round_ in writes if name == handoff), default=None)
        expected = [str(n) for n, write in enumerate(writes) if write == (handoff, newest)]
        assert [key for key, one in channel.items() if one["handoff"] == handoff] == expected
