"""What a model's call of a tool holds: its arguments, as the model wrote them, and LangGraph's runtime beside them."""

from typing import Any

from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel


def arguments_of(tool_input: str | dict[str, Any], schema: type[BaseModel]) -> tuple[dict[str, Any], Any]:
    """Give a tool's arguments by name, unchecked, and its runtime; None without one.

    LangChain's own parsing would check them, and give a before-validator what it has made once already.
    """
    if isinstance(tool_input, str):  # LangChain's convention: a bare text is the first argument
        return {next(iter(schema.model_fields), "input"): tool_input}, None
    given = dict(tool_input)
    return given, given.pop("runtime") if isinstance(given.get("runtime"), ToolRuntime) else None
