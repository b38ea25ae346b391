"""What three summarisers make of the same conversation: calls, tokens read, share of it that was seen, size, in budget.

Ours, LangChain's SummarizationMiddleware and langmem's summarize_messages are given the same messages, the same budget,
and the same scripted model, which either keeps to what it is asked or answers eight times the budget. Nothing is timed;
tokens are by `estimate_tokens`, for all of them.

    uv run --group benchmarks python tests/benchmarks/summarizers.py [--budget N]
    uv run --group benchmarks python tests/benchmarks/summarizers.py --readme    # puts the short table into README.md
"""

import argparse
import random
import re
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import BaseModel, PrivateAttr
from readme_tables import put

from crux_langgraph import Handoff, Summarize, estimate_tokens

SIZES = (20_000, 50_000, 220_000)
WORDS = [
    "the",
    "harbour",
    "office",
    "reported",
    "a",
    "delay",
    "of",
    "crates",
    "because",
    "storms",
    "closed",
    "northern",
    "road",
    "again",
    "late",
]
FACT = re.compile(r"REF\d{6}")


class Writer(BaseChatModel):
    """Answers with the beginning of what it is sent, `length` tokens of it, and keeps what that was."""

    length: int
    _sent: list[str] = PrivateAttr(default_factory=list)

    @property
    def sent(self) -> list[str]:
        return self._sent

    @property
    def _llm_type(self) -> str:
        return "writer"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        text = "\n".join(message.text for message in messages)
        self._sent.append(text)
        sentences = re.findall(r"[^.\n]*REF\d{6}\.", text) or ["Nothing."]
        answer = (" ".join(sentences) * 20)[: self.length * 4]
        return ChatResult(generations=[ChatGeneration(message=AIMessage(answer))])


class Chat(BaseModel):
    messages: list[AnyMessage]


def conversation(tokens: int) -> list[AnyMessage]:
    """About so many tokens of messages by turns, each of some sentences with a reference of its own."""
    chance, made, size = random.Random(7), [], 0
    while size < tokens:
        sentences = [
            f"{' '.join(chance.choices(WORDS, k=14))} REF{chance.randrange(10**5, 10**6):06}." for _ in range(10)
        ]
        text = " ".join(sentences)
        made.append(HumanMessage(text, id=str(len(made))) if len(made) % 2 == 0 else AIMessage(text, id=str(len(made))))
        size += estimate_tokens(text)
    return made


def ours(messages: Sequence[AnyMessage], budget: int, model: Writer) -> str:
    return _ours(messages, budget, Summarize(model))


def ours_reading_all(messages: Sequence[AnyMessage], budget: int, model: Writer) -> str:
    return _ours(messages, budget, Summarize(model, max_calls=40, max_input_tokens=400_000))


def _ours(messages: Sequence[AnyMessage], budget: int, settings: Summarize) -> str:
    handoff = Handoff.of(Chat, id="chat", max_tokens=budget, summarize=settings)
    return handoff.prepare({"messages": list(messages)}).context


def langchain(messages: Sequence[AnyMessage], budget: int, model: Writer) -> str:
    middleware = SummarizationMiddleware(model, trigger=("tokens", budget), keep=("tokens", budget // 2))
    state: Any = {"messages": list(messages)}
    update: Any = middleware.before_model(state, None) or state  # type: ignore[arg-type]
    return joined([message for message in update["messages"] if message.type != "remove"])


def langmem(messages: Sequence[AnyMessage], budget: int, model: Writer) -> str:
    from langmem.short_term import summarize_messages  # of the group `benchmarks`: the others are run without it too

    result = summarize_messages(
        list(messages), running_summary=None, model=model, max_tokens=budget, max_summary_tokens=budget // 2
    )
    return joined(result.messages)


def joined(messages: Sequence[BaseMessage]) -> str:
    return "\n".join(f"{message.type}: {message.text}" for message in messages)


METHODS: dict[str, Callable[[Sequence[AnyMessage], int, Writer], str]] = {
    "Summarize, as it is by default": ours,
    "Summarize, 40 calls, 400,000 tokens": ours_reading_all,
    "LangChain SummarizationMiddleware": langchain,
    "langmem summarize_messages": langmem,
}


README_HEAD = "| summariser | calls | tokens read | of it seen | result |\n|---|---|---|---|---|"
README_ROWS: dict[str, tuple[Callable[[Sequence[AnyMessage], int, Writer], str], str]] = {
    "`Summarize`, as it is by default": (ours, ""),
    "LangChain's `SummarizationMiddleware`": (langchain, "langchain"),
    "langmem's `summarize_messages`": (langmem, "langmem"),
}
"""Each with the package whose version the row names; ours is the one at hand."""


def readme_row(name: str) -> str:
    """Give what README.md tells of a method: 50,000 tokens, a budget of 2,000, and answers of eight times that."""
    messages, budget = conversation(50_000), 2_000
    model = Writer(length=budget * 8)
    method, package = README_ROWS[name]
    text = method(messages, budget, model)
    _, _, _, calls, read, seen, result, fits = row(name, "", messages, text, model, budget).strip("| ").split(" | ")
    over = "" if fits == "yes" else f", {fits.strip('*')}"
    of = f", {package} {version(package)}" if package else ""
    return f"| {name}{of} | {calls} | {read} | {seen} | {result}{over} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", type=int, default=2_000)
    parser.add_argument("--readme", action="store_true")
    arguments = parser.parse_args()
    if arguments.readme:
        put("\n".join([README_HEAD, *map(readme_row, README_ROWS)]))
        return
    budget = arguments.budget
    print(f"| of {budget:,} tokens | conversation | answers | calls | tokens read | of it seen | result | in budget |")
    print("|---|---|---|---|---|---|---|---|")
    for name, method in METHODS.items():
        for size in SIZES:
            messages = conversation(size)
            for answers, length in (("brief", budget // 8), ("long", budget * 8)):
                model = Writer(length=length)
                print(row(name, answers, messages, method(messages, budget, model), model, budget))


def row(name: str, answers: str, messages: Sequence[AnyMessage], text: str, model: Writer, budget: int) -> str:
    whole = joined(messages)
    facts = set(FACT.findall(whole))
    seen = facts & set(FACT.findall("\n".join(model.sent)))
    read, result = sum(map(estimate_tokens, model.sent)), estimate_tokens(text)
    cells = (
        name,
        f"{estimate_tokens(whole):,}",
        answers,
        str(len(model.sent)),
        f"{read:,}",
        f"{len(seen) / len(facts):.0%}",
        f"{result:,}",
        "yes" if result <= budget else f"**{result / budget:.1f} times over**",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
