"""A process that is killed while the desk that was handed to works: `python killed.py DATABASE`."""

import os
import sys
from pathlib import Path
from typing import Any

sys.path.extend([str(Path(__file__).parent), str(Path(__file__).parents[1])])

from desk import Desk, both
from langgraph.checkpoint.sqlite import SqliteSaver

THREAD = {"configurable": {"thread_id": "1"}}


def graph(checkpointer: Any, *, kills: bool) -> tuple[Any, Desk]:
    """Build the desk; with `kills` its refunds agent ends the process before it answers."""
    desk = Desk(both())
    if kills:
        desk.refunds.replies = [_Deadly()]
    return desk.builder.compile(checkpointer=checkpointer), desk


class _Deadly:
    def __getattribute__(self, name: str) -> Any:
        os._exit(9)


def main() -> None:
    """Run one turn, and never come to its end."""
    with SqliteSaver.from_conn_string(sys.argv[1]) as checkpointer:
        built, _ = graph(checkpointer, kills=True)
        built.invoke({"messages": ["hi"]}, THREAD, durability="sync")


if __name__ == "__main__":
    main()
