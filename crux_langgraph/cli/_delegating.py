"""The demo's second scene: an orchestrator calls the researcher as a tool, once rightly and once with bad arguments."""

from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import Callbacks
from langchain_core.messages import AIMessage, ToolCall, ToolMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from crux_langgraph import Handoff, delegate
from crux_langgraph.cli._briefing import RESEARCHER, Brief, Research, left_behind
from crux_langgraph.cli._conversations import Conversation

ORCHESTRATOR = "orchestrator"


@dataclass(frozen=True, slots=True)
class Called:
    """One tool call of the orchestrator, and the message that it got back."""

    call: ToolCall
    message: ToolMessage


def delegate_to(
    crossing: Handoff[Research, Brief, Brief], conversation: Conversation, heard_by: Callbacks = None
) -> list[Called]:
    """Have an orchestrator call the researcher, who replays `conversation`, for a good case number and a bad one."""

    recorded = {conversation.id: conversation}

    @delegate(handoff=crossing, id=RESEARCHER)
    def researcher(case: str) -> Research:
        """Look up what is on record for a case."""
        return Research.model_validate(left_behind({"messages": recorded[case].messages}))

    calls = [_call("1", {"case": conversation.id}), _call("2", {"case": None})]

    def orchestrate(_: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage("", tool_calls=calls)]}

    builder: Any = StateGraph(MessagesState)
    builder.add_node(ORCHESTRATOR, orchestrate)
    builder.add_node("tools", ToolNode(researcher.as_tools()))
    builder.add_edge(START, ORCHESTRATOR)
    builder.add_edge(ORCHESTRATOR, "tools")
    _, *answered = builder.compile(name=ORCHESTRATOR).invoke({"messages": []}, {"callbacks": heard_by})["messages"]
    return [Called(call, message) for call, message in zip(calls, answered, strict=True)]


def _call(call_id: str, arguments: dict[str, Any]) -> ToolCall:
    return ToolCall(name=RESEARCHER, args=arguments, id=call_id, type="tool_call")
