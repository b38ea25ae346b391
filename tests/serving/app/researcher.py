"""A researcher with a conversation and a structured response, which is wrong at first when the question asks for it."""

from typing import Any, NotRequired

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph
from typing_extensions import TypedDict


class Found(TypedDict, total=False):
    question: str
    findings: list[str]


class State(MessagesState):
    structured_response: NotRequired[Found]


def answer(state: State) -> dict[str, Any]:
    asked = [str(message.content) for message in state["messages"] if isinstance(message, HumanMessage)]
    wrong = len(asked) <= asked[0].count("wrong")
    found = {"findings": [asked[-1]]} if wrong else {"question": asked[0], "findings": [f"asked {len(asked)} times"]}
    return {"structured_response": found, "messages": [AIMessage(f"Answer {len(asked)}")]}


builder = StateGraph(State)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")
graph = builder.compile()
