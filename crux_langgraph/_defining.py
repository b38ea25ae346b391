"""What is checked when a handoff is defined, so that wrong use fails at the user's line and not in production."""

import re
from typing import Any

import pydantic
from pydantic import BaseModel, PydanticUndefinedAnnotation, PydanticUserError

from crux_langgraph._contract import Contract, Hidden, bare
from crux_langgraph._numbers import is_whole
from crux_langgraph._signature import accepts
from crux_langgraph._summarizing import Summarize
from crux_langgraph._texts import frame_of
from crux_langgraph.compression import Counter, counter_fault, new_marker
from crux_langgraph.errors import DefinitionError
from crux_langgraph.stores import fault_of_store

_ID = re.compile(r"[a-z0-9-]{1,64}")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def id_from(name: str, kind: str = "handoff") -> str:
    """Give the id of a handoff or a delegate that is named by its function."""
    return checked_id(name, name.replace("_", "-").lower(), kind)


def checked_id(name: str, given: object, kind: str = "handoff") -> str:
    """Give `given` if it can be an id: in file names, metadata filters and graph drawings alike."""
    if not isinstance(given, str) or _ID.fullmatch(given) is None:
        raise DefinitionError(
            handoff=name,
            found=f"its id would be {given!r}",
            fix="Give id= 1 to 64 lower-case letters, digits and hyphens, for example id='research-to-writer'.",
            kind=kind,
        )
    return given


def checked_tool_name(name: str, given: object, kind: str = "handoff") -> str:
    """Give `given` if every provider takes it as the name of a tool."""
    if not isinstance(given, str) or _TOOL_NAME.fullmatch(given) is None:
        raise DefinitionError(
            handoff=name,
            found=f"its tool would be named {given!r}",
            fix="Give name= up to 64 letters, digits, _ and -.",
            kind=kind,
        )
    return given


def contract_for(name: str, side: str, annotation: Any) -> Contract[Any]:
    """Build the contract of one side, refusing what is no model and what JSON would lose."""
    model = _model_of(name, side, annotation)
    told = f"{model.__name__}, its {side},"
    _refuse_lossy(name, told, model)
    contract = Contract(model)
    _refuse_unhidden(name, told, contract.hidden)
    return contract


def _model_of(name: str, side: str, annotation: Any) -> type[BaseModel]:
    model = bare(annotation)
    if isinstance(model, type) and issubclass(model, BaseModel) and model is not BaseModel:
        return model
    instance = isinstance(annotation, BaseModel)
    told = f"an instance of {type(annotation).__name__}" if instance else getattr(annotation, "__name__", annotation)
    raise DefinitionError(
        handoff=name,
        found=f"its {side} is {told}, which is not a pydantic model of its own",
        fix=f"Make it a BaseModel with the fields that cross (a RootModel for a list, a mapping or a union of {told}).",
    )


def _refuse_lossy(name: str, told: str, model: type[BaseModel]) -> None:
    # Only a program that defines a handoff needs this, and it takes longer to import than all else here.
    from crux_langgraph._contract.surviving import lost_fields

    try:
        model.model_rebuild()
        lost = lost_fields(model)
    except (PydanticUndefinedAnnotation, NameError, PydanticUserError) as error:
        raise DefinitionError(
            handoff=name,
            found=f"{told} is not complete: {getattr(error, 'name', None) or error}",
            fix="Define what it names at module level before the handoff, or call model_rebuild() on it.",
        ) from None
    if lost:
        raise DefinitionError(
            handoff=name,
            found=f"{told} has fields that cannot cross as they are declared",
            problems=lost,
            fix="Change each as it says: a payload travels as JSON through checkpoints and stores.",
        )


def _refuse_unhidden(name: str, model: str, hidden: Hidden) -> None:
    whole = "mark all of it: Annotated[A | B, Private()]."
    _refuse_where(
        hidden.blurred,
        name,
        f"{model} has Private() in a union that JSON cannot tell apart",
        f"Tell its members apart by a literal field: Annotated[A | B, Field(discriminator='kind')]; or {whole}",
    )
    _refuse_where(
        hidden.behind,
        name,
        f"{model} has Private() in a union behind a member that may take the value and show it",
        f"Put what is private first in the union; or {whole}",
    )
    _refuse_where(
        hidden.unmasked,
        name,
        f"{model} has Private() where pydantic {pydantic.VERSION} writes the value out all the same",
        "Make a NamedTuple a BaseModel and extra values fields of their own, or use pydantic 2.14 or later.",
    )


def _refuse_where(fields: frozenset[str], name: str, found: str, fix: str) -> None:
    if fields:
        raise DefinitionError(handoff=name, found=f"{found}: {', '.join(sorted(fields))}", fix=fix)


def checked_agent(name: str, option: str, given: object) -> str | None:
    """Give `given` if it can be an agent's name: what names a node, on one line, since contexts state it."""
    if given is not None and not (isinstance(given, str) and given.strip() and given.isprintable()):
        raise DefinitionError(
            handoff=name, found=f"its {option} is {given!r}", fix=f"Give {option}= the agent's name as a plain string."
        )
    return given


def checked_hook(name: str, hook: Any) -> Any:
    """Give `hook` if it can be called with a payload."""
    if hook is not None and not accepts(hook, 1):
        raise DefinitionError(
            handoff=name,
            found="its on_prepare cannot be called with one payload",
            fix="Give on_prepare= a function of the payload, sync or async.",
        )
    return hook


def checked_version(name: str, given: object) -> int:
    """Give `given` if it is a version number."""
    if not is_whole(given, 1):
        raise DefinitionError(
            handoff=name, found=f"its version is {given!r}", fix="Give version= a whole number from 1."
        )
    return given


def checked_store(name: str, given: object) -> Any:
    """Give `given` if it can be a store, or say where one is. Nothing is opened."""
    fault = fault_of_store(given)
    if fault is not None:
        raise DefinitionError(
            handoff=name,
            found=f"its store is {fault}",
            fix="Give store= 'sqlite:', 'sqlite:///path', 'postgresql://...', a psycopg_pool.ConnectionPool or a Store; "
            "a BaseStore of LangGraph as crux_langgraph.stores.slot.Slot(store).",
        )
    return given


def checked_counter(name: str, counter: Counter) -> Counter:
    """Give `counter` if its answers can carry a budget."""
    try:
        fault = counter_fault(counter)
    except Exception as error:
        raise DefinitionError(
            handoff=name,
            found=f"its counter raised {type(error).__name__} for a short English sentence",
            fix="Give counter= a function of one text that works offline, or leave it out for the safe estimate.",
        ) from error
    if fault is not None:
        raise DefinitionError(
            handoff=name,
            found=f"its counter {fault}",
            fix="Give counter= a function that counts the tokens of any text, or leave it out for the safe estimate.",
        )
    return counter


def checked_summarize(name: str, given: object, max_tokens: int | None) -> Summarize | None:
    """Give `given` if it says which model shortens prose, and if there is ever a time for it to do so."""
    if given is None:
        return None
    if not isinstance(given, Summarize):
        raise DefinitionError(
            handoff=name,
            found=f"its summarize is a {type(given).__name__}",
            fix="Give summarize=Summarize(model), with a chat model or 'provider:name'.",
        )
    if max_tokens is None and not given.always:
        raise DefinitionError(
            handoff=name,
            found="it has summarize= and no max_tokens, so everything fits and the model would never be asked",
            fix="Give max_tokens= as well, or Summarize(model, always=True) to have all prose summarised.",
        )
    return given


def checked_max_tokens(
    name: str, given: object, *, handoff_id: str, from_agent: str | None, counter: Counter
) -> int | None:
    """Give `given` if a context can fit into it at all."""
    if given is None:
        return None
    if not is_whole(given):
        raise DefinitionError(
            handoff=name,
            found=f"max_tokens is a {type(given).__name__}",
            fix="Give max_tokens= a whole number of tokens, or None for no limit.",
        )
    least = counter(frame_of(handoff_id, from_agent, new_marker()).around(""))
    if given <= least:
        raise DefinitionError(
            handoff=name,
            found=f"max_tokens is {given}, and the heading and fence alone take {least} tokens",
            fix="Give max_tokens= the tokens that the receiving agent can spare, or None for no limit.",
        )
    return given
