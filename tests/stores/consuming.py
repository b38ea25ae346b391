"""A consumer that dies of SIGKILL in the second of three steps of its graph, when it is told to: `consuming.py URL FILE die`."""

import operator
import os
import signal
import sys
from typing import Annotated, Any

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel

from crux_langgraph import Handoff, HandoffState


class Note(BaseModel):
    text: str


class State(HandoffState, total=False):
    steps: Annotated[list[str], operator.add]


def main(url: str, checkpoints: str, order: str) -> None:
    inbox = Handoff.of(Note, id="note", store=url)

    def step(name: str) -> Any:
        def run(state: State) -> State:
            print(name, inbox.received(state).data.text, flush=True)
            if (name, order) == ("two", "die"):
                os.kill(os.getpid(), signal.SIGKILL)
            return {"steps": [name]}

        return run

    builder = StateGraph(State)
    for name in ("one", "two", "three"):
        builder.add_node(name, step(name))
    for source, target in ((START, "one"), ("one", "two"), ("two", "three"), ("three", END)):
        builder.add_edge(source, target)
    with SqliteSaver.from_conn_string(checkpoints) as saver, inbox.claim(wait_s=30, lease_s=1.0) as claimed:
        print(claimed.invoke(builder.compile(checkpointer=saver))["steps"])


if __name__ == "__main__":
    main(*sys.argv[1:])
