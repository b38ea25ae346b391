"""Programs around one inbox in Postgres: `produce URL COUNT`, and `consume URL CHECKPOINTS`, whose graph has effects."""

import os
import sys
import time
from typing import Any

import psycopg
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from crux_langgraph import Handoff, HandoffState

LEASE_S = 1.5
"""How long a consumer that was killed keeps its record from the others."""


class Order(BaseModel):
    number: int


class State(HandoffState, total=False):
    charged: int


class Context(BaseModel):
    claim: int


class Effects:
    """A table beside the inbox: what was done, by the id of the claim, and how often it was tried."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        self.connection.execute("create table if not exists effects (claim bigint primary key, number int not null)")
        self.connection.execute("create table if not exists tries (claim bigint not null, process int not null)")

    def charge(self, claim: int, number: int) -> None:
        self.connection.execute("insert into tries values (%s, %s)", (claim, os.getpid()))
        self.connection.execute("insert into effects values (%s, %s) on conflict do nothing", (claim, number))


def consumer(orders: Handoff[Order, Order], effects: Effects) -> StateGraph[Any, Any, Any, Any]:
    """A graph that charges an order, and then takes its time, in which it may be killed."""

    def charge(state: State, runtime: Runtime[Context]) -> State:
        number = orders.received(state).data.number
        effects.charge(runtime.context.claim, number)
        return {"charged": number}

    def rest(_: State) -> State:
        time.sleep(0.05)
        return {}

    builder: StateGraph[Any, Any, Any, Any] = StateGraph(State, context_schema=Context)
    builder.add_node("charge", charge)
    builder.add_node("rest", rest)
    builder.add_edge(START, "charge")
    builder.add_edge("charge", "rest")
    return builder


def produce(url: str, count: int) -> None:
    orders = Handoff.of(Order, id="orders", store=url)
    for number in range(count):
        orders.send({"number": number}, scope=f"customer-{number % 3}")


def consume(url: str, checkpoints: str) -> None:
    orders = Handoff.of(Order, id="orders", store=url)
    with SqliteSaver.from_conn_string(checkpoints) as saver:
        graph = consumer(orders, Effects(url)).compile(checkpointer=saver)
        print("ready", flush=True)
        while True:
            with orders.claim(wait_s=30, lease_s=LEASE_S) as claimed:
                if claimed:
                    claimed.invoke(graph, context=Context(claim=claimed.id))


if __name__ == "__main__":
    if sys.argv[1] == "produce":
        produce(sys.argv[2], int(sys.argv[3]))
    else:
        consume(sys.argv[2], sys.argv[3])
