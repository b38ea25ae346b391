"""A private field is masked wherever this package records, raises, logs or streams; with `client_for`, in LangSmith too."""

import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import pytest
from langchain_core.messages import AIMessage
from langgraph.graph import START, StateGraph
from langsmith_server import LangSmithServer
from pydantic import BaseModel, Field, RootModel
from support import Call, State, two_agents
from watching import Seen, Traced, tracing

from crux_langgraph import Private, add_handoff, delegate, errors, handoff
from crux_langgraph.instrumentation import recorded
from crux_langgraph.instrumentation.langsmith import client_for

SECRET = "tok_5e3a9c71"


class Account(BaseModel):
    owner: str
    token: Annotated[str, Private()]
    keys: list[Annotated[str, Private()]] = []
    nested: dict[str, Any] = {}


def handed(account: Account) -> Account:
    return account


def leaking(account: Account) -> Account:
    message = f"no such token: {account.token}"
    raise LookupError(message)


PRIVATE = handoff(id="a-to-b", from_agent="a", to_agent="b", max_tokens=300)(handed)
LEAKING = handoff(id="a-to-b", from_agent="a", to_agent="b")(leaking)
FOUND = {"owner": "Ada", "token": SECRET, "keys": [SECRET], "nested": {"deep": "shown"}}


@pytest.fixture
def covered(request: pytest.FixtureRequest) -> Iterator[Traced]:
    """Trace by a client that covers the private fields of a handoff, or of what the test names."""
    with LangSmithServer() as server:
        yield from tracing(server, client_for(getattr(request, "param", PRIVATE), api_url=server.url, api_key="none"))


@pytest.mark.parametrize("contract", [PRIVATE, LEAKING], ids=["success", "failure"])
async def test_a_secret_is_in_nothing_that_our_runs_tell(
    call: Call, seen: Seen, traced: Traced, contract: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "crux_langgraph")
    graph = two_agents(contract, found=FOUND).compile()
    streamed: list[Any] = []
    try:
        with recorded(attachments=True, stream=True):
            async for mode, chunk in graph.astream({}, {"callbacks": [seen]}, stream_mode=["custom", "values"]):
                streamed += [chunk] if mode == "custom" else []
    except errors.TransformError as error:
        streamed.append(f"{error!r} {error}")
    server = traced.sent()
    ours = [run for run in server.runs if run["name"].startswith("handoff:")]
    events = [told for told in seen.started.values() if told["name"] == "handoff:prepare"]
    assert len(ours) == len(events) == 1
    assert len(streamed) == (2 if contract is PRIVATE else 3)
    assert SECRET not in repr([ours, events, seen.ours(), streamed, caplog.text, server.attachments])


async def test_the_handoffs_node_records_no_state(call: Call, traced: Traced) -> None:
    await call(two_agents(PRIVATE, found=FOUND).compile(), {})
    [node] = traced.sent().find("a-to-b")
    assert node["inputs"] == node["outputs"] == {"crux": "not recorded here: handoff:prepare shows what crossed"}


class Pair(NamedTuple):
    owner: str
    token: str


@dataclass
class Holder:
    owner: str
    token: str


WAYS = {
    "a mapping": FOUND,
    "an instance": Account(**FOUND),
    "JSON text": Account(**FOUND).model_dump_json(),
}


@pytest.mark.parametrize("contract", [PRIVATE, LEAKING], ids=["success", "failure"])
@pytest.mark.parametrize("found", WAYS)
async def test_with_client_for_a_secret_never_reaches_langsmith(
    call: Call, covered: Traced, found: str, contract: Any
) -> None:
    try:
        await call(
            two_agents(contract, found=WAYS[found]).compile(), {"seen": [Pair("Ada", SECRET), Holder("Ada", SECRET)]}
        )
    except errors.TransformError:
        assert contract is LEAKING
    server = covered.sent()
    assert SECRET.encode() not in server.raw
    assert b"Ada" in server.raw
    assert len(server.find("handoff:prepare")) == 1


async def test_with_client_for_an_error_keeps_its_places_its_types_and_our_sentence(
    call: Call, covered: Traced
) -> None:
    with pytest.raises(errors.TransformError):
        await call(two_agents(LEAKING, found=FOUND).compile(), {})
    root, node, crossing = (covered.sent().find(name)[0] for name in ("LangGraph", "a-to-b", "handoff:prepare"))
    for run in (root, node):
        assert "in leaking\nLookupError\n" in run["error"]
        assert "layer: transform): leaking() raised LookupError" in run["error"]
    assert "layer: transform): leaking() raised LookupError" in crossing["error"]


async def test_with_client_for_an_error_of_a_class_without_a_plain_name_keeps_its_places(
    call: Call, covered: Traced
) -> None:
    class LocalError(Exception):
        pass

    def failing(account: Account) -> Account:
        raise LocalError(account.token)

    with pytest.raises(errors.TransformError):
        await call(two_agents(handoff(id="a-to-b")(failing), source="a", target="b", found=FOUND).compile(), {})
    server = covered.sent()
    error = server.find("LangGraph")[0]["error"]
    assert "in failing\n" in error
    assert "<locals>" not in error
    assert "failing() raised LocalError" in error
    assert SECRET.encode() not in server.raw


class Ask(BaseModel):
    owner: str
    secret: Annotated[str, Private()]


@delegate(handoff=PRIVATE, args_schema=Ask)
def account(ask: Ask) -> Account:
    """Find an account."""
    return Account(owner=ask.owner, token=SECRET)


@pytest.mark.parametrize("covered", [account], indirect=True)
async def test_with_client_for_a_delegates_arguments_and_answer_are_masked(call: Call, covered: Traced) -> None:
    asks = {"type": "tool_call", "name": "account", "id": "1", "args": {"owner": "Ada", "secret": SECRET}}
    message = await call(account.as_tool(), asks)
    assert account.result(message).data.token == SECRET
    server = covered.sent()
    assert len(server.runs) == 4
    assert SECRET.encode() not in server.raw


class Empty(BaseModel):
    """Has no private field."""


class Colour(Enum):
    RED = "red"


class Odd:
    def __repr__(self) -> str:
        return SECRET


STATES: dict[str, tuple[Any, Any]] = {
    "an enum": (Colour.RED, "red"),
    "an id": (UUID(int=0), "00000000-0000-0000-0000-000000000000"),
    "a deque": (deque([1]), [1]),
    "an object": (Odd(), "<Odd>"),
    "bytes": (SECRET.encode(), "<bytes>"),
    "numbers": ([1.5, True, None], [1.5, True, None]),
    "a named field in a text": (f"token = {SECRET}", "[private: a text of 20 characters with a private field in it]"),
    "escaped JSON": (
        f'{{\\"token\\": \\"{SECRET}\\"}}',
        "[private: a text of 29 characters with a private field in it]",
    ),
    "a field that is only mentioned": ("the token: expected a string", "the token: expected a string"),
    "a text too long to search": (
        "x" * 70_000,
        "[private: a text of 70,000 characters, too many to look for private fields in]",
    ),
    "a message": (AIMessage("hi", id="1"), None),
}


@pytest.mark.parametrize("value", STATES)
def test_client_for_reads_values_of_any_class_or_tells_the_class(covered: Traced, value: str) -> None:
    builder: Any = StateGraph(State)
    builder.add_node("n", lambda _: {"seen": STATES[value][0]})
    builder.add_edge(START, "n")
    builder.compile().invoke({})
    server = covered.sent()
    [node] = server.find("n")
    if value == "a message":
        assert (node["outputs"]["seen"]["content"], node["outputs"]["seen"]["type"]) == ("hi", "ai")
    else:
        assert node["outputs"]["seen"] == STATES[value][1]
    assert SECRET.encode() not in server.raw


@pytest.mark.parametrize("covered", [Empty], indirect=True)
def test_client_for_shows_every_text_where_no_field_is_private(covered: Traced) -> None:
    builder: Any = StateGraph(State)
    builder.add_node("n", lambda _: {"seen": "token: shown"})
    builder.add_edge(START, "n")
    builder.compile().invoke({})
    [node] = covered.sent().find("n")
    assert node["outputs"]["seen"] == "token: shown"


def test_client_for_sends_nothing_of_a_value_that_breaks_when_it_is_read(covered: Traced) -> None:
    class Broken(dict[str, Any]):
        def items(self) -> Any:
            raise ZeroDivisionError

    builder: Any = StateGraph(State)
    builder.add_node("n", lambda _: Broken(seen=SECRET))
    builder.add_edge(START, "n")
    with pytest.raises(ZeroDivisionError):
        builder.compile().invoke({"seen": Broken(seen=SECRET)})
    server = covered.sent()
    assert server.find("LangGraph")[0]["inputs"] == {"crux": "[not recorded: ZeroDivisionError while it was read]"}
    assert SECRET.encode() not in server.raw


def test_client_for_covers_models_and_further_keys(seen: Seen) -> None:
    class Tokens(RootModel[Annotated[str, Private()]]):
        pass

    with LangSmithServer() as server:
        client = client_for(Account, Tokens, keys=["seen"], api_url=server.url, api_key="none")
        for covered in tracing(server, client):
            builder: Any = StateGraph(State)
            builder.add_node("n", lambda _: {"seen": SECRET, "found": {"token": SECRET}})
            builder.add_edge(START, "n")
            builder.compile().invoke({}, {"metadata": {"token": SECRET}})
            covered.sent()
            assert SECRET.encode() not in server.raw


@pytest.mark.parametrize("option", ["anonymizer", "hide_inputs", "hide_outputs", "hide_metadata"])
def test_client_for_refuses_what_would_undo_it(option: str) -> None:
    with pytest.raises(ValueError, match=f"client_for sets {option} itself"):
        client_for(PRIVATE, **{option: True})


class Kept(BaseModel):
    owner: str
    token: Annotated[str | None, Private(in_state=False)] = None


def kept(value: Kept) -> Kept:
    return value


async def test_a_field_that_stays_out_of_the_state_is_in_the_payload_and_in_no_record(call: Call) -> None:
    contract = handoff(id="a-to-b", from_agent="a", to_agent="b")(kept)
    payload = await call.prepare(contract, {"owner": "Ada", "token": SECRET})
    assert payload.data.token == SECRET
    assert payload.to_envelope()["data"] == {"owner": "Ada"}
    assert contract.from_envelope(payload.to_envelope()).data == Kept(owner="Ada")
    assert SECRET not in f"{payload!r} {payload.context}"


async def test_a_field_that_stays_out_of_the_state_reaches_a_write_function_and_no_node(call: Call) -> None:
    contract, written = handoff(id="a-to-b", from_agent="a", to_agent="b")(kept), []
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {})
    builder.add_node("b", lambda state: {"seen": contract.received(state).data.token})
    builder.add_edge(START, "a")
    reading = {
        "read": lambda _: Kept(owner="Ada", token=SECRET),
        "write": lambda payload: written.append(payload.data.token),
    }
    add_handoff(builder, contract, **reading)
    ended = await call(builder.compile(), {})
    assert written == [SECRET]
    assert ended["seen"] is None
    assert SECRET not in repr(ended)


class Required(BaseModel):
    token: Annotated[str, Private(in_state=False)]


class Inside(BaseModel):
    tokens: list[Annotated[str, Private(in_state=False)]] = []


class Rooted(RootModel[Annotated[str, Private(in_state=False)]]):
    pass


@dataclass
class Plain:
    token: Annotated[str, Private(in_state=False)] = ""


class Around(BaseModel):
    plain: Plain = Field(default_factory=Plain)


@pytest.mark.parametrize(
    "model, told",
    [
        (Required, "token: expected a default for who reads it from the state"),
        (Inside, "tokens: expected Private(in_state=False) around the whole annotation"),
        (Rooted, "(root): expected Private(in_state=False) around the whole annotation"),
        (Around, "plain.token: expected Private(in_state=False) around the whole annotation"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_field_that_could_not_be_read_back_from_the_state_is_refused(model: Any, told: str) -> None:
    def same(value: model) -> model:
        return value

    with pytest.raises(errors.DefinitionError) as raised:
        handoff(same)
    assert told in str(raised.value)


def test_a_mark_without_brackets_is_private_and_in_the_state() -> None:
    class Bare(BaseModel):
        token: Annotated[str, Private]

    def same(value: Bare) -> Bare:
        return value

    payload = handoff(same).prepare({"token": SECRET})
    assert SECRET not in repr(payload)
    assert payload.to_envelope()["data"] == {"token": SECRET}
