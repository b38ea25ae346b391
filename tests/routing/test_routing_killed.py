"""A process is killed in the middle of the handoffs of one turn, and another one goes on."""

import subprocess
import sys
from pathlib import Path

from killed import THREAD, graph
from langgraph.checkpoint.sqlite import SqliteSaver
from legal import illegal

KILLED = Path(__file__).with_name("killed.py")


def test_another_process_goes_on_where_the_killed_one_stopped(tmp_path: Path) -> None:
    database = str(tmp_path / "threads.sqlite")
    ended = subprocess.run([sys.executable, str(KILLED), database], check=False, capture_output=True, text=True)
    assert ended.returncode == 9, ended.stderr
    with SqliteSaver.from_conn_string(database) as checkpointer:
        built, desk = graph(checkpointer, kills=False)
        out = built.invoke(None, THREAD)
    answers = [message.content for message in out["messages"] if message.type == "ai" and message.content]
    assert answers == ["billed", "refunded"]
    assert illegal(out["messages"]) is None
    assert not out["handoff_requests"]
    assert (len(desk.triage.sent), len(desk.refunds.sent)) == (0, 1)
