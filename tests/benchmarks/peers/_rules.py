"""What a model answers to a request, by rules: it uses its tool, asks who is left, fills what is typed, and writes the rest.

The rules know the scenario, and no library: which tools there are, and what a tool takes, they read in the request.
"""

from collections.abc import Mapping
from typing import Any, Literal

from langchain_core.messages import AIMessage

from ._request import Request
from ._scenario import FINAL, Specialist

Fault = Literal["missing", "wrong"]
NO_FIGURE: Mapping[Fault, str] = {"missing": "not stated here", "wrong": "unknown"}

Call = tuple[str, dict[str, Any]]


def answer(request: Request, fault: Fault | None = None) -> AIMessage:
    """Decide. With a `fault` the model's report lacks its figure or has a word in its place, until it is told of it."""
    wrong = None if request.was_refused else fault
    own = request.specialist
    if own and own.tool in request.tools and own.tool not in request.used:
        return _calling(request, "", [(own.tool, {})])
    if left := request.unasked():
        return _asking(request, left, wrong)
    if own and (typed := _typed_result(request, own)):
        return _calling(request, "", [(typed, _filled(request, typed, _knowledge(request, own, wrong)))])
    return AIMessage(_text(request, wrong))


def _typed_result(request: Request, own: Specialist) -> str | None:
    """Give the tool, if there is one, that takes a result with fields, all of which the model can fill."""
    known = _knowledge(request, own, None).keys()
    tools = [name for name, takes in request.tools.items() if takes and name not in request.routes().values()]
    return next((name for name in tools if known >= request.tools[name].keys()), None)


def _asking(request: Request, agents: list[str], wrong: Fault | None) -> AIMessage:
    own, routes = request.specialist, request.routes()
    calls: list[Call] = []
    for name in agents:
        known = _knowledge(request, own, wrong) if own else {**request.scenario.fields, **_task(request, name)}
        calls.append((routes[name], _filled(request, routes[name], known)))
    # A report goes into the text only where the tool has no place for it.
    text = _own_text(own, wrong) if own and not any(args for _, args in calls) else ""
    return _calling(request, text, calls)


def _task(request: Request, name: str) -> dict[str, Any]:
    """Write what an agent is asked; with what is known so far, since it may see nothing else."""
    question = request.scenario.question.format(name=name)
    return {
        "question": question,
        "description": " ".join([question, *_reports(request, None)]),
        "subagent_type": name,
    }


def _text(request: Request, wrong: Fault | None) -> str:
    own = request.specialist
    if own is None or FINAL in request.system:
        return " ".join(["The final answer:", *_reports(request, wrong)])
    return _own_text(own, wrong)


def _own_text(own: Specialist, wrong: Fault | None) -> str:
    return own.written(NO_FIGURE[wrong] if wrong else own.figures[0])


def _reports(request: Request, wrong: Fault | None) -> list[str]:
    """What is known of every specialist whose figure was seen; the model's own as it gives it."""
    own, seen = request.specialist, request.seen()
    known = [(one, [figure for figure in one.figures if figure in seen]) for one in request.scenario.specialists]
    return [_own_text(one, wrong) if one == own and wrong else one.written(shown[-1]) for one, shown in known if shown]


def _knowledge(request: Request, own: Specialist, wrong: Fault | None) -> dict[str, Any]:
    """Give all that a specialist could fill a tool's fields with, by the names of the fields."""
    seen = request.seen()
    done = [one for one in request.scenario.specialists if set(one.figures).intersection(seen)]
    return {**_finding(own, wrong), "findings": [_finding(one, wrong if one == own else None) for one in done]}


def _finding(one: Specialist, wrong: Fault | None) -> dict[str, Any]:
    found = {"subject": one.name, "report": one.report}
    if wrong == "missing":
        return found
    return {**found, "figure": NO_FIGURE[wrong] if wrong else int(one.figures[0][-4:])}


def _filled(request: Request, tool: str, known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: known[name] for name in request.tools[tool] if name in known}


def _calling(request: Request, text: str, calls: list[Call]) -> AIMessage:
    at = f"{request.me}-{len(request.messages)}"
    return AIMessage(
        text,
        tool_calls=[
            {"name": name, "args": args, "id": f"{at}-{place}", "type": "tool_call"}
            for place, (name, args) in enumerate(calls)
        ],
    )
