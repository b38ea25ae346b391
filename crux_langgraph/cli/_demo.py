"""The demo's graph, researcher -> handoff -> executor, and one conversation's way through it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from langchain_core.callbacks import Callbacks
from langchain_core.messages import AnyMessage, BaseMessage, SystemMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.runtime import Runtime

from crux_langgraph import Handoff, HandoffState, Payload, add_handoff
from crux_langgraph.cli._briefing import EXECUTOR, RESEARCHER, Brief, Research, left_behind
from crux_langgraph.cli._conversations import Conversation
from crux_langgraph.cli._executing import Execute, ModelFailedError
from crux_langgraph.errors import HandoffError


class State(MessagesState, HandoffState):
    """The state of the demo's graph: messages, payloads, and what the executor was sent and answered."""

    prompt: list[AnyMessage]
    answer: str


@dataclass(frozen=True, slots=True)
class Recording:
    """What the researcher replays in one run."""

    messages: Sequence[BaseMessage]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one conversation fared. Without `payload` nothing crossed, without `answer` the executor failed."""

    conversation: Conversation
    payload: Payload[Brief] | None
    prompt: tuple[BaseMessage, ...]
    answer: str | None
    error: HandoffError | ModelFailedError | None
    durations_s: dict[str, float] = field(default_factory=dict[str, float])
    """Seconds of each node that ended, in order."""


@dataclass(frozen=True, slots=True)
class Demo:
    """The compiled graph with the handoff that stands in it."""

    crossing: Handoff[Research, Brief, Brief]
    graph: Any  # the compiled graph; its own annotations are incomplete to a strict type checker

    def run(self, conversation: Conversation, heard_by: Callbacks = None) -> Outcome:
        """Lead one conversation through the graph. Errors of the handoff and the model are in the outcome."""
        state: dict[str, Any] = {}
        durations: dict[str, float] = {}
        error = None
        try:
            self._stream(conversation, state, durations, heard_by)
        except (HandoffError, ModelFailedError) as failed:
            error = failed
        return Outcome(
            conversation=conversation,
            payload=self.crossing.received(state) if "handoffs" in state else None,
            prompt=tuple(state.get("prompt", ())),
            answer=state.get("answer"),
            error=error,
            durations_s=durations,
        )

    def _stream(
        self, conversation: Conversation, state: dict[str, Any], durations_s: dict[str, float], heard_by: Callbacks
    ) -> None:
        began = perf_counter()
        recording = Recording(conversation.messages)
        config = {"callbacks": heard_by, "run_name": conversation.id}
        for update in self.graph.stream({"messages": []}, config, context=recording, stream_mode="updates"):
            for node, changed in update.items():
                durations_s[node] = perf_counter() - began
                state |= changed
            began = perf_counter()


def build(crossing: Handoff[Research, Brief, Brief], execute: Execute) -> Demo:
    """Build the graph around a handoff and an executor."""
    task = SystemMessage(f"You are the {EXECUTOR}. {crossing.description}")

    def act(state: State) -> dict[str, Any]:
        prompt = [task, *state["messages"]]
        return {"prompt": prompt, "answer": execute(crossing.received(state).data, prompt)}

    builder: Any = StateGraph(State, context_schema=Recording)
    builder.add_node(RESEARCHER, _replay)
    builder.add_node(EXECUTOR, act)
    builder.add_edge(START, RESEARCHER)
    add_handoff(builder, crossing, read=left_behind, write="messages", history="replace")
    builder.add_edge(EXECUTOR, END)
    return Demo(crossing, builder.compile())


def _replay(_: State, runtime: Runtime[Recording]) -> dict[str, Any]:
    return {"messages": list(runtime.context.messages)}
