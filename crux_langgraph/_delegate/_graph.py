"""A compiled graph as a subagent: arguments become its input, its end becomes what the handoff takes."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import ParentCommand
from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel

from crux_langgraph._defining import id_from
from crux_langgraph._delegate._arguments import checked_schema
from crux_langgraph._delegate._context import ContextRule, checked_context_schema
from crux_langgraph._delegate._failing import Why, without_an_end
from crux_langgraph._delegate._options import GraphOptions, Output
from crux_langgraph._delegate._refusing import refusal
from crux_langgraph._delegate._subagent import Call, Returned
from crux_langgraph._numbers import is_whole
from crux_langgraph._signature import accepts, is_async, name_of
from crux_langgraph._waiting import AWAITING, Way
from crux_langgraph.errors import SubagentError

DEFAULT_RECURSION_LIMIT = 50

_UNNAMED = "LangGraph"  # what LangGraph calls a graph that nobody named

MESSAGES = "messages"
STRUCTURED = "structured_response"
_INTERRUPT = "__interrupt__"
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)


class GraphSubagent(NamedTuple):
    """A compiled graph with how its input is made and its end is read."""

    graph: Any
    id: str
    name: str
    description: str
    args_schema: type[BaseModel]
    context: ContextRule
    prompt: Callable[[Any], Any]
    output: Output
    recursion_limit: int
    is_steering: bool
    """Whether its `Command(graph=PARENT)` may steer its caller."""
    input_keys: frozenset[str]
    output_keys: frozenset[str]

    @property
    def repairable(self) -> bool:
        """Whether the graph has a conversation that can be continued: messages that it gives and takes."""
        return MESSAGES in self.input_keys & self.output_keys

    def begin(self) -> "Conversation":
        """Start a conversation with the graph."""
        return Conversation(self)


class Conversation:
    """One call of a graph: its first run, and further ones that continue it to have the return repaired."""

    def __init__(self, subagent: GraphSubagent) -> None:
        """Begin without a state."""
        self._of = subagent
        self._state: Mapping[str, Any] = {}

    async def __call__(self, way: Way, call: Call, /) -> Returned:
        """Run the graph to its end and read what the handoff takes from it."""
        graph = self._of.graph
        # Only what is our own: the rest comes from the run around us, and would relabel the subagent's as its parent's.
        options: dict[str, Any] = {"config": {"recursion_limit": self._of.recursion_limit}}
        if call.context is not None:
            options["context"] = call.context
        try:
            state = await way.call(graph.ainvoke if way is AWAITING else graph.invoke, self._input(call), **options)
        except ParentCommand:
            if self._of.is_steering:
                raise
            raise self._refused(_STEERED) from None
        if isinstance(state, Mapping) and _INTERRUPT in state:
            raise self._refused(INTERRUPTED)
        self._state = cast("Mapping[str, Any]", state)
        return Returned(read_end(self._of.output, state), state)

    def _input(self, call: Call) -> dict[str, Any]:
        if call.repair is None:
            return self._prompted(self._of.prompt(call.arguments))
        kept = {key: self._state[key] for key in self._of.input_keys - {STRUCTURED} if key in self._state}
        return kept | {MESSAGES: [*self._state[MESSAGES], HumanMessage(call.repair.message)]}

    def _prompted(self, prompted: object) -> dict[str, Any]:
        if not isinstance(prompted, str | BaseMessage | Mapping | Sequence):
            raise self._refused((f"was given a {type(prompted).__name__} by its prompt", _PROMPT))
        return as_input(prompted)

    def _refused(self, why: Why) -> SubagentError:
        return without_an_end(self._of.id, self._of.name, why)


_PROMPT = "Have prompt= return a text, messages, or a mapping of the graph's input keys."
_STEERED = (
    "steered its caller by Command(graph=PARENT)",
    "End the subagent by what it returns, or allow it with parent_commands='pass'.",
)
INTERRUPTED = (
    "was interrupted where no graph around it can be resumed",
    "Call the delegate in a graph with a checkpointer, as a tool or in a node.",
)


def as_input(prompted: Any) -> dict[str, Any]:
    """Give what a prompt made as a graph's input: a mapping as it is, a text or messages as `messages`."""
    if isinstance(prompted, Mapping):
        return dict(cast("Mapping[str, Any]", prompted))
    if isinstance(prompted, str):
        return {MESSAGES: [HumanMessage(prompted)]}
    return {MESSAGES: [prompted] if isinstance(prompted, BaseMessage) else list(prompted)}


def key_read(output: object) -> str | None:
    """Give the key of a graph's end from which `output` is read; None when it is a function, or no output."""
    return {STRUCTURED: STRUCTURED, "text": MESSAGES}.get(output) if isinstance(output, str) else None


def read_end(output: Output, state: Any) -> Any:
    """Give what the handoff takes of a graph's final state."""
    if callable(output):
        return output(state)
    if output == STRUCTURED:
        return state.get(STRUCTURED)
    answers = [message for message in state[MESSAGES] if isinstance(message, AIMessage)]
    text = str(answers[-1].text) if answers else ""
    fenced = _FENCED.search(text)
    return fenced.group(1) if fenced else text


def read_graph(
    graph: Any, args_schema: Any, prompt: Callable[[Any], Any] | None, output: Any, options: GraphOptions
) -> GraphSubagent:
    """Read a compiled graph once. Raises `DefinitionError` for whatever could not work at a call."""
    given = options.get("id")
    name = _name(graph, given)
    _refuse_graph(name, graph)
    schema = checked_schema(name, args_schema)
    builder = graph.builder
    inputs, outputs = (frozenset(builder.schemas[one]) for one in (builder.input_schema, builder.output_schema))
    refuse_output(name, output, outputs)
    return GraphSubagent(
        graph=_inheriting(graph),
        id=id_from(name, "delegate") if given is None else given,
        name=name,
        description=options.get("description", ""),
        args_schema=schema,
        context=ContextRule(checked_context_schema(name, builder.context_schema), required=True),
        prompt=_default_prompt(name, schema, inputs) if prompt is None else checked_prompt(name, prompt),
        output=output,
        recursion_limit=checked_limit(name, options.get("recursion_limit", DEFAULT_RECURSION_LIMIT)),
        is_steering=_checked_steering(name, options.get("parent_commands", "refuse")),
        input_keys=inputs,
        output_keys=outputs,
    )


def _inheriting(graph: Any) -> Any:
    """The graph without a checkpointer of its own: outside a graph it would ask for a thread that nobody names."""
    return graph.copy({"checkpointer": None}) if isinstance(graph.checkpointer, BaseCheckpointSaver) else graph


def _name(graph: Any, given: str | None) -> str:
    if given is not None:
        return str(given).replace("-", "_")
    name: str = getattr(graph, "name", type(graph).__name__)
    if name == _UNNAMED:
        raise refusal(name, "its graph has no name of its own", "Give id=, or name= to compile() or create_agent().")
    return name


def _refuse_graph(name: str, graph: object) -> None:
    if not isinstance(graph, CompiledStateGraph):
        raise refusal(
            name,
            f"it was given a {type(graph).__name__}, which is no compiled StateGraph",
            "Give builder.compile() or what create_agent returns; call anything else in a function with @delegate.",
        )
    if cast("Any", graph).checkpointer is True:
        raise refusal(
            name,
            "its graph was compiled with checkpointer=True, by which parallel calls would share one memory",
            "Compile it without a checkpointer: it inherits the caller's, and interrupts resume all the same.",
        )


def refuse_output(name: str, output: Any, outputs: frozenset[str]) -> None:
    if callable(output):
        _refuse_uncallable(name, "output", output, "the graph's final state")
        return
    needed = key_read(output)
    if needed is None:
        raise refusal(
            name, f"its output is {output!r}", f"Give output='{STRUCTURED}', 'text' or a function of the state."
        )
    if needed not in outputs:
        raise refusal(
            name,
            f"its output is {output!r}, and the graph gives no {needed!r}",
            "Give create_agent a response_format, or output= a function of the graph's final state.",
        )


def checked_limit(name: str, given: object) -> int:
    if not is_whole(given, 1):
        raise refusal(name, f"recursion_limit is {given!r}", "Give recursion_limit= a whole number from 1.")
    return given


def _checked_steering(name: str, given: object) -> bool:
    if given not in ("refuse", "pass"):
        raise refusal(name, f"parent_commands is {given!r}", "Give parent_commands='refuse' or 'pass'.")
    return given == "pass"


def checked_prompt(name: str, prompt: Any) -> Callable[[Any], Any]:
    _refuse_uncallable(name, "prompt", prompt, "the args_schema")
    return cast("Callable[[Any], Any]", prompt)


def _refuse_uncallable(name: str, option: str, given: Any, of: str) -> None:
    if not (callable(given) and accepts(given, 1)):
        raise refusal(name, f"its {option} cannot be called with one value", f"Give {option}= a function of {of}.")
    if is_async(given):
        raise refusal(
            name,
            f"its {option} {name_of(given)} is asynchronous, and only makes one value of another",
            f"Give {option}= a plain function of {of}; do what waits inside the graph.",
        )


def _default_prompt(name: str, schema: type[BaseModel], inputs: frozenset[str]) -> Callable[[Any], Any]:
    if MESSAGES in inputs:
        return as_text
    missing = sorted(schema.model_fields.keys() - inputs)
    if missing:
        raise refusal(
            name,
            f"its graph takes no messages and has no input {', '.join(missing)}",
            "Give prompt= a function from the arguments to the graph's input.",
        )
    return as_fields


def as_text(arguments: BaseModel) -> str:
    values = list(as_fields(arguments).values())
    return values[0] if len(values) == 1 and isinstance(values[0], str) else arguments.model_dump_json(indent=2)


def as_fields(arguments: BaseModel) -> dict[str, Any]:
    return {key: getattr(arguments, key) for key in type(arguments).model_fields}
