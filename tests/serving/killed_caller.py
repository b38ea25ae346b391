"""A process that calls a remote delegate from a graph with a checkpoint file: url, way, place, a folder, begin or again."""

import asyncio
import sys
from typing import Any

from langchain_core.messages import ToolMessage
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from remote import THREAD, calling_agent, calling_node, far
from support import Call

URL, WAY, PLACE, FOLDER, WHEN = sys.argv[1:]
WAIT = {"do": "wait_for", "data": f"{FOLDER}/go"}
FILE = f"{FOLDER}/checkpoints"
MADE = far(URL)
GIVEN: Any = ({"messages": ["go"]} if PLACE == "tool" else {}) if WHEN == "begin" else None
OPTIONS: Any = {"stream_mode": ["custom", "values"], "durability": "sync"}


def graph(checkpointer: Any) -> Any:
    made = calling_agent(MADE, WAIT) if PLACE == "tool" else calling_node(Call(WAY), MADE, WAIT)
    made.checkpointer = checkpointer
    return made


def show(mode: str, chunk: Any) -> None:
    if mode == "custom":
        print(chunk, flush=True)
        return
    messages = [one for one in chunk.get("messages", ()) if isinstance(one, ToolMessage)]
    for done in chunk.get("got") or [MADE.result(message).data.out for message in messages]:
        print(done["thread"], done["tries"], flush=True)


async def awaited() -> None:
    async with AsyncSqliteSaver.from_conn_string(FILE) as saver:
        async for mode, chunk in graph(saver).astream(GIVEN, THREAD, **OPTIONS):
            show(mode, chunk)


def blocking() -> None:
    with SqliteSaver.from_conn_string(FILE) as saver:
        for mode, chunk in graph(saver).stream(GIVEN, THREAD, **OPTIONS):
            show(mode, chunk)


if __name__ == "__main__":
    asyncio.Runner().run(awaited()) if WAY == "ainvoke" else blocking()
