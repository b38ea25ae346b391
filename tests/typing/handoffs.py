"""What type checkers see; never run. Each `type: ignore` is an error that they must report."""

from collections.abc import Coroutine
from typing import Any, assert_type

from langgraph.runtime import Runtime
from pydantic import BaseModel

from crux_langgraph import Context, Handoff, Payload, handoff


class Research(BaseModel):
    question: str


class Brief(BaseModel):
    task: str


class Ctx(BaseModel):
    user: str


@handoff
def bare(research: Research) -> Brief:
    return Brief(task=research.question)


@handoff(from_agent="a", to_agent="b", max_tokens=500, version=2, id="x")
async def with_options(research: Research) -> Brief:
    return Brief(task=research.question)


@handoff
def with_runtime(research: Research, *, runtime: Runtime[Ctx] | None = None) -> Brief:
    return Brief(task=runtime.context.user if runtime else research.question)


def hook(payload: Payload[Brief]) -> None:
    assert_type(payload.data, Brief)


async def main() -> None:
    assert_type(bare, Handoff[Research, Brief, Brief])
    assert_type(with_options, Handoff[Research, Brief, Coroutine[Any, Any, Brief]])
    assert_type(with_runtime, Handoff[Research, Brief, Brief])
    assert_type(Handoff.of(Brief, id="b"), Handoff[Brief, Brief, Brief])
    assert_type(bare(Research(question="")), Brief)
    assert_type(await with_options(Research(question="")), Brief)
    assert_type(bare.prepare({"question": 1}), Payload[Brief])
    assert_type(bare.prepare("{}"), Payload[Brief])
    assert_type(await with_options.aprepare(Research(question="")), Payload[Brief])
    assert_type(with_options.received({}), Payload[Brief])
    assert_type(with_options.received_all({}), list[Payload[Brief]])
    assert_type(bare.as_context(bare.received({})), Context)
    assert_type(bare.received({}).data, Brief)
    either: list[Handoff[Research, Brief]] = [bare, with_options]
    wide: Payload[BaseModel] = either[0].received({})
    print(wide)
    bare.prepare(Brief(task=""))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    bare(Brief(task=""))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with_options.prepare(Research(question=""))  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


@handoff  # type: ignore[arg-type] # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
def no_model(research: Research) -> int:
    return 1


@handoff(max_token=5)  # type: ignore[call-overload, untyped-decorator] # pyright: ignore[reportCallIssue, reportUntypedFunctionDecorator]
def wrong_option(research: Research) -> Brief:
    return Brief(task="")
