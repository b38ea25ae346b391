"""A desk that has a question looked up, a person look over what was found, and a writer answer: as it would be served."""

from typing import Any, NotRequired

from langchain_core.messages import AIMessage
from langgraph.config import get_store
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import interrupt
from pydantic import BaseModel

from crux_langgraph import HandoffState, add_handoff, delegate, handoff


class Found(BaseModel):
    question: str
    findings: list[str]


class Brief(BaseModel):
    task: str
    facts: list[str]


class State(MessagesState, HandoffState):
    found: NotRequired[dict[str, Any]]


@handoff(max_tokens=200)
def shelf_to_research(found: Found) -> Found:
    """Say what was found."""
    return found


@delegate(handoff=shelf_to_research)
async def look_up(question: str) -> Found:
    """Look a question up.

    Args:
        question: what to look up
    """
    kept = await get_store().aget(("shelf",), question)
    return Found(question=question, findings=[f"Seen before: {kept.value['answer']}"] if kept else ["Nothing yet."])


@handoff(from_agent="research", to_agent="writer", max_tokens=500)
def research_to_writer(found: Found) -> Brief:
    """Answer the question from these facts."""
    return Brief(task=found.question, facts=found.findings)


async def research(state: State) -> dict[str, Any]:
    result = await look_up.arun({"question": str(state["messages"][-1].content)})
    remark = interrupt({"found": result.data.findings})
    return {
        "found": {"question": result.data.question, "findings": [*result.data.findings, f"A person says: {remark}"]}
    }


async def writer(state: State) -> dict[str, Any]:
    payload = research_to_writer.received(state)
    answer = " ".join(payload.data.facts)
    await get_store().aput(("shelf",), payload.data.task, {"answer": answer})
    return {"messages": [AIMessage(answer)]}


builder = StateGraph(State)
builder.add_node("research", research)
builder.add_node("writer", writer)
builder.add_edge(START, "research")
add_handoff(builder, research_to_writer, read="found")
builder.add_edge("writer", END)
graph = builder.compile()
