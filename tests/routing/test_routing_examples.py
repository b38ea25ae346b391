"""No finding on what is shipped: the graphs of every page, and the demo's."""

from pathlib import Path

import pytest
from langgraph.graph import StateGraph
from test_snippets import MARKDOWN, PAGES

from crux_langgraph import check
from crux_langgraph.cli._briefing import make_handoff
from crux_langgraph.cli._demo import build
from crux_langgraph.cli._executing import stand_in

FORGETFUL = "forgetful"  # the graph by which a page shows what `check` finds


@pytest.mark.usefixtures("state_folder")
@pytest.mark.parametrize("page", PAGES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_graphs_of_a_page_have_no_findings(page: Path) -> None:
    for example in MARKDOWN.parse(page).examples():
        example.evaluate()
        for name, value in list(example.namespace.items()):
            if isinstance(value, StateGraph) or isinstance(getattr(value, "builder", None), StateGraph):
                assert bool(check(value)) is (name == FORGETFUL)


def test_the_demo_has_no_findings() -> None:
    assert check(build(make_handoff(None), stand_in).graph) == ()
