"""A subagent on an Agent Server: what it is sent, what is read from its end, and whether both sides mean the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast, get_args
from urllib.parse import urlsplit
from uuid import UUID

from langchain_core.messages import HumanMessage
from pydantic import BaseModel

from crux_langgraph._defining import id_from
from crux_langgraph._delegate._arguments import checked_schema
from crux_langgraph._delegate._context import ContextRule, checked_context_schema
from crux_langgraph._delegate._graph import (
    MESSAGES,
    STRUCTURED,
    as_fields,
    as_input,
    as_text,
    checked_limit,
    checked_prompt,
    key_read,
    refuse_output,
)
from crux_langgraph._delegate._options import Output, RemoteOptions
from crux_langgraph._delegate._refusing import checked_repairs, refusal
from crux_langgraph._delegate._remote_schema import Published, problems_of
from crux_langgraph._delegate._remote_server import Address, Forwarded, Headers, Server
from crux_langgraph._delegate._subagent import Call, Run
from crux_langgraph._handoff import Handoff
from crux_langgraph._waiting import BLOCKING, finish
from crux_langgraph.errors import FieldProblem, SchemaMismatchError

_UNKNOWN = Published(None, None)
_MISMATCH = "what it publishes does not fit what this delegate sends and takes"
_IGNORED = "it would ignore what prompt= gives it"


@dataclass(slots=True)
class RemoteSubagent:
    """An assistant of an Agent Server. What the server publishes of it is asked for once, at the first call."""

    address: Address
    id: str
    name: str
    description: str
    args_schema: type[BaseModel]
    returned_schema: type[BaseModel]
    context: ContextRule
    prompt: Callable[[Any], Any] | None
    output: Output
    recursion_limit: int | None
    config_keys: tuple[str, ...]
    context_keys: tuple[str, ...]
    is_repaired: bool
    published: Published = _UNKNOWN
    has_agreed: bool = field(default=False, init=False)

    @property
    def repairable(self) -> bool:
        """Whether it can be asked to repair what it returned: that it takes messages, the first call makes sure of."""
        return True

    def begin(self) -> Run:
        """Start a call."""
        from crux_langgraph._delegate._remote_run import RemoteRun

        return RemoteRun(self)

    def invoke(self, given: Mapping[str, Any]) -> Any:
        """Run the assistant once, without any check, and give its final state."""
        from crux_langgraph._delegate._remote_run import RemoteRun

        return finish(RemoteRun(self).plain(BLOCKING, given))

    async def agree(self, server: Server) -> None:
        """Compare both sides, at the first call. Raises `SchemaMismatchError`."""
        if self.has_agreed:
            return
        self.published = Published.of(await server.schemas())
        problems = [*self._input_problems(), *self._output_problems()]
        if problems:
            raise self._mismatch(_MISMATCH, problems)
        self.has_agreed = True

    def input(self, call: Call) -> Mapping[str, Any]:
        """Make the input of one run. Raises `SchemaMismatchError` for keys that the assistant would ignore."""
        if call.repair is not None:
            return {MESSAGES: [HumanMessage(call.repair.message)]}
        given = as_input(self._prompt()(call.arguments))
        known = self.published.inputs
        if known is not None and not given.keys() <= known.keys():
            unknown = sorted(given.keys() - known.keys())
            raise self._mismatch(_IGNORED, [_absent(key) for key in unknown])
        return given

    def _prompt(self) -> Callable[[Any], Any]:
        if self.prompt is not None:
            return self.prompt
        return as_text if self._converses() else as_fields

    def _converses(self) -> bool:
        return self.published.inputs is None or MESSAGES in self.published.inputs

    def _input_problems(self) -> list[FieldProblem]:
        known = self.published.inputs
        if known is None:
            return []
        if self.is_repaired and MESSAGES not in known:
            return [FieldProblem(MESSAGES, "an input, for max_repairs", "no such input")]
        if self.prompt is not None or self._converses():
            return []
        sent = self.args_schema.model_json_schema()
        found: list[FieldProblem] = []
        for key, schema in sent.get("properties", {}).items():
            ours = {**schema, "$defs": sent.get("$defs", {})}
            found += problems_of(ours, known[key], key) if key in known else [_absent(key)]
        return found

    def _output_problems(self) -> list[FieldProblem]:
        known = self.published.outputs
        needed = key_read(self.output)
        if known is None or needed is None:
            return []
        if needed not in known:
            return [FieldProblem(needed, f"an output, for output={self.output!r}", "no such output")]
        return (
            problems_of(known[needed], self.returned_schema.model_json_schema(), needed) if needed == STRUCTURED else []
        )

    def _mismatch(self, found: str, problems: list[FieldProblem]) -> SchemaMismatchError:
        return SchemaMismatchError(
            delegate=self.id,
            found=f"assistant {self.address.assistant!r} on {self.address.shown}: {found}",
            fix="Give prompt= and output= functions that fit it, or another args_schema or handoff. It was not started.",
            problems=problems,
        )


def _absent(key: str) -> FieldProblem:
    return FieldProblem(key, "an input of that name", "no such input")


def read_remote(
    url: Any,
    assistant: Any,
    handoff: Handoff[Any, Any],
    args_schema: Any,
    context_schema: Any,
    prompt: Callable[[Any], Any] | None,
    output: Any,
    options: RemoteOptions,
) -> RemoteSubagent:
    """Read what a remote delegate is given, without asking the server. Raises `DefinitionError`."""
    name = _name(assistant, options.get("id"))
    context_keys = _checked_keys(name, "context_keys", options.get("context_keys", ()))
    config_keys = _checked_keys(name, "config_keys", options.get("config_keys", ()))
    schema = checked_context_schema(name, context_schema)
    _refuse_keys(name, schema, context_keys, config_keys)
    refuse_output(name, output, frozenset({MESSAGES, STRUCTURED}))
    limit = options.get("recursion_limit")
    named = options.get("id") or id_from(name, "delegate")
    return RemoteSubagent(
        address=Address(
            delegate=named,
            url=_checked_url(name, url),
            assistant=assistant,
            headers=_checked_headers(name, options.get("headers")),
            distributed_tracing=options.get("distributed_tracing", False),
            forwards=_checked_forwards(name, options.get("forwards", ("custom",))),
        ),
        id=named,
        name=name,
        description=options.get("description", ""),
        args_schema=checked_schema(name, args_schema),
        returned_schema=handoff.input_schema,
        context=ContextRule(schema, required=True),
        prompt=None if prompt is None else checked_prompt(name, prompt),
        output=output,
        recursion_limit=None if limit is None else checked_limit(name, limit),
        config_keys=config_keys,
        context_keys=context_keys,
        is_repaired=checked_repairs(name, options.get("max_repairs", 0)) > 0,
    )


def _name(assistant: Any, given: str | None) -> str:
    if not isinstance(assistant, str) or not assistant:
        raise refusal(
            str(given or "remote"),
            f"its assistant is {assistant!r}",
            "Give the name of a graph in the server's langgraph.json, or the id of an assistant.",
        )
    if given is None and _is_uuid(assistant):
        raise refusal(assistant, "its assistant has an id and no name", "Give id=, which names it in errors and tools.")
    return str(given or assistant).replace("-", "_")


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _checked_url(name: str, url: Any) -> str:
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise refusal(
            name, "its url is no http address", 'Give the address of an Agent Server: "http://127.0.0.1:2024".'
        )
    return str(url)


def _checked_headers(name: str, headers: Any) -> Headers:
    if headers is None or callable(headers) or isinstance(headers, Mapping):
        return cast("Headers", headers)
    raise refusal(
        name,
        f"its headers are of type {type(headers).__name__}",
        "Give headers= a mapping, or a function without parameters, sync or async, that gives one for each request.",
    )


def _checked_keys(name: str, option: str, keys: Any) -> tuple[str, ...]:
    if isinstance(keys, str) or not all(isinstance(key, str) for key in keys):
        raise refusal(name, f"its {option} are {keys!r}", f"Give {option}= several names: {option}=('user_id',).")
    return tuple(keys)


def _checked_forwards(name: str, forwards: Any) -> tuple[Forwarded, ...]:
    allowed = get_args(Forwarded)
    if isinstance(forwards, str) or not set(forwards) <= set(allowed):
        raise refusal(name, f"it forwards {forwards!r}", f"Give forwards= some of {', '.join(map(repr, allowed))}.")
    return tuple(forwards)


def _refuse_keys(name: str, schema: Any, context_keys: tuple[str, ...], config_keys: tuple[str, ...]) -> None:
    if context_keys and schema is None:
        raise refusal(name, "it has context_keys and no context_schema", "Give context_schema= the context's class.")
    if context_keys and config_keys:
        raise refusal(
            name,
            "it has context_keys and config_keys, and an Agent Server takes a context or a configurable",
            "Give one of the two; LangGraph's way is the context.",
        )
