"""The scripted chat model: it answers by the rules, takes a constant while, and keeps what it was sent."""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict

from ._request import Request
from ._rules import Fault, answer
from ._scenario import Scenario


class Sent(NamedTuple):
    """One call of a model: whose it was, what it was sent, and from when to when it worked."""

    agent: str
    messages: Sequence[BaseMessage]
    tools: Sequence[dict[str, Any]]
    was_refused: bool
    began_s: float
    ended_s: float


class RuledModel(BaseChatModel):
    """Stands for a provider's model: `bind_tools` as ChatOpenAI has it, `parallel_tool_calls` included."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    scenario: Scenario
    agent: str
    keep: Callable[[Sent], None]
    latency_s: float = 0.0
    fault: Fault | None = None

    @property
    def _llm_type(self) -> str:
        return "ruled"

    def bind_tools(self, tools: Sequence[Any], *, parallel_tool_calls: bool | None = None, **kwargs: Any) -> Any:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], parallel=parallel_tool_calls, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        tools: Sequence[dict[str, Any]] = (),
        parallel: bool | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        began = time.perf_counter()
        takes = {tool["function"]["name"]: tool["function"]["parameters"].get("properties", {}) for tool in tools}
        request = Request(self.scenario, messages, takes, parallel is not False)
        reply = answer(request, self.fault)
        time.sleep(self.latency_s)
        self.keep(Sent(self.agent, list(messages), tools, request.was_refused, began, time.perf_counter()))
        return ChatResult(generations=[ChatGeneration(message=reply)])
