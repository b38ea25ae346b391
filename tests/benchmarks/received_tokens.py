"""Tokens that reach the receiving agent, and what it still knows, against passing the whole history.

The recorded conversations in the package end where a researching agent hands over to an executing one, and say which
values the later calls need. Passing the history is what swarm and full-history supervisors do. Tokens are by
`estimate_tokens`, frame and fence included.

    uv run python tests/benchmarks/received_tokens.py [--readme]    # --readme puts the table into README.md
"""

import argparse
from collections.abc import Callable
from statistics import mean

from langchain_core.messages import AnyMessage
from pydantic import BaseModel
from readme_tables import put

from crux_langgraph import Handoff, estimate_tokens, fit
from crux_langgraph.cli._briefing import left_behind, make_handoff
from crux_langgraph.cli._conversations import Conversation
from crux_langgraph.cli._reading import bundled
from crux_langgraph.cli._recall import held

BUDGETS = (1_000, 500, 256)


class Chat(BaseModel):
    messages: list[AnyMessage]


Received = Callable[[Conversation], str]
"""The text that reaches the receiver."""


def history(conversation: Conversation) -> str:
    return fit(list(conversation.messages), 10**9).text


def last_message(conversation: Conversation) -> str:
    return fit(list(conversation.messages[-1:]), 10**9).text


def typed(budget: int | None) -> Received:
    """Give the demo's brief: the user's words, the last reply, and one line for each thing on record."""
    handoff = make_handoff(budget)
    return lambda conversation: handoff.prepare(left_behind({"messages": list(conversation.messages)})).context


def messages(budget: int) -> Received:
    """Give the messages as they are in a handoff of their own, fitted into the budget."""
    handoff = Handoff.of(Chat, id="chat", from_agent="researcher", to_agent="executor", max_tokens=budget)
    return lambda conversation: handoff.prepare({"messages": list(conversation.messages)}).context


METHODS: dict[str, Received] = {
    "the whole history": history,
    "the last message": last_message,
    "a typed brief, no budget": typed(None),
    **{f"a typed brief, {budget:,} tokens": typed(budget) for budget in BUDGETS[:2]},
    **{f"the messages, {budget:,} tokens": messages(budget) for budget in BUDGETS},
}


def table() -> str:
    conversations = bundled()
    whole = mean(estimate_tokens(history(one)) for one in conversations)
    lines = [
        "| what the receiver is given | tokens | of the history | needed values it can read |",
        "|---|---|---|---|",
    ]
    lines += [row(name, method, conversations, whole) for name, method in METHODS.items()]
    return "\n".join(lines)


def row(name: str, method: Received, conversations: list[Conversation], whole: float) -> str:
    given = [method(one) for one in conversations]
    tokens = mean(map(estimate_tokens, given))
    kept = sum(len(held(one.needed, text)) for one, text in zip(conversations, given, strict=True))
    needed = sum(len(one.needed) for one in conversations)
    return f"| {name} | {tokens:,.0f} | {tokens / whole:.0%} | {kept} of {needed} ({kept / needed:.0%}) |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readme", action="store_true")
    shown = table()
    print(shown)
    if parser.parse_args().readme:
        put(shown)


if __name__ == "__main__":
    main()
