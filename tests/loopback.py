"""A server on this machine that speaks OpenAI's chat completions format, streamed and not, with scripted answers.

It refuses what the provider refuses: schemas that are not strict, and histories in which a tool call is not answered.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from legal import illegal_bodies
from served import JsonHandler, served

Answer = Callable[[dict[str, Any]], dict[str, Any]]
"""From a request's body, the assistant's message."""

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def asks(*calls: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    """An assistant's message that calls tools: (call id, tool, arguments)."""
    made = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for call_id, name, arguments in calls
    ]
    return {"role": "assistant", "content": None, "tool_calls": made}


def says(text: str) -> dict[str, Any]:
    """An assistant's message that is a text."""
    return {"role": "assistant", "content": text}


@contextmanager
def openai_server(answer: Answer) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serve `answer`; give the base URL and the bodies of all requests."""
    bodies: list[dict[str, Any]] = []

    class Handler(JsonHandler):
        def posted(self, body: Any) -> None:
            bodies.append(body)
            refused = [fault for tool in body.get("tools", ()) for fault in strict_faults(tool["function"])]
            refused += [fault for fault in [illegal_bodies(body["messages"])] if fault]
            if refused:
                self.answer({"error": {"message": refused[0], "type": "invalid_request_error"}}, 400)
            elif body.get("stream"):
                self.answer_text(streamed(answer(body)), content_type="text/event-stream")
            else:
                self.answer(whole(answer(body)))

    with served(Handler) as url:
        yield f"{url}/v1", bodies


NOT_STRICT = {"allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "prefixItems"}


def strict_faults(function: dict[str, Any]) -> list[str]:
    """Why the provider refuses this function, as its documentation of strict schemas has it; nothing if not strict."""
    if not function.get("strict"):
        return []
    root = function["parameters"]
    faults = [] if root.get("type") == "object" and "anyOf" not in root else ["schema must be an object"]
    return [f"Invalid schema for function {function['name']!r}: {one}" for one in (*faults, *faults_in(root, ()))]


def faults_in(schema: Any, path: tuple[str, ...]) -> list[str]:
    context = f"In context={path}, "
    faults = [f"{context}{word!r} is not permitted" for word in NOT_STRICT & schema.keys()]
    if "$ref" in schema and len(schema) > 1:
        faults.append(f"{context}$ref cannot have keywords")
    if schema.get("type") == "object" or "properties" in schema:
        if schema.get("additionalProperties") is not False:
            faults.append(f"{context}'additionalProperties' is required to be supplied and to be false")
        if set(schema.get("required", ())) != schema.get("properties", {}).keys():
            faults.append(f"{context}'required' is required to be an array including every key in properties")
    inner = {**schema.get("properties", {}), **schema.get("$defs", {})}
    inner |= {f"anyOf[{at}]": one for at, one in enumerate(schema.get("anyOf", ()))}
    inner |= {"items": schema["items"]} if "items" in schema else {}
    return faults + [fault for name, one in inner.items() for fault in faults_in(one, (*path, name))]


def whole(message: dict[str, Any]) -> dict[str, Any]:
    ends = "tool_calls" if message.get("tool_calls") else "stop"
    choice = {"index": 0, "message": message, "finish_reason": ends}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}


def streamed(message: dict[str, Any]) -> str:
    """The same as server-sent events: the arguments of each tool call in two pieces, the usage last."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": message["content"] or ""}]
    for index, call in enumerate(message.get("tool_calls", ())):
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        half = len(arguments) // 2
        head = {"index": index, "id": call["id"], "type": "function"}
        deltas.append({"tool_calls": [{**head, "function": {"name": name, "arguments": arguments[:half]}}]})
        deltas.append({"tool_calls": [{"index": index, "function": {"arguments": arguments[half:]}}]})
    ends = "tool_calls" if message.get("tool_calls") else "stop"
    choices = [[{"index": 0, "delta": delta, "finish_reason": None}] for delta in deltas]
    choices += [[{"index": 0, "delta": {}, "finish_reason": ends}], []]
    chunks = [
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choice}
        for choice in choices
    ]
    chunks[-1]["usage"] = USAGE
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
