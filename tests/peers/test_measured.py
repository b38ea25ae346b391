"""The page about the peers holds what its command measures, and what this package promises beside them."""

import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1]))

from benchmarks.peers._all import counted_all
from benchmarks.peers._measuring import Run
from benchmarks.peers._model import Sent
from benchmarks.peers._page import Counted, better_text, block, costs_text, results_text, total, versions_text
from benchmarks.peers._scenarios import BY_TOOL, IN_PROMPT, SCENARIOS
from benchmarks.peers._settings import DEEP, OURS, SETTINGS, SWARM, lines_of_code

from crux_langgraph import estimate_tokens

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "peers.md").read_text(encoding="utf-8")
PICTURE = (DOCS / "pictures" / "peers.svg").read_text(encoding="utf-8")
IS_SAME = block(PAGE, "versions") == versions_text()
"""Whether the page was written with the versions that are installed: another one's prompts have other tokens."""
TOKENS, EXACT = 2, 4

pytestmark = pytest.mark.filterwarnings("ignore")  # what these packages warn of is theirs


@pytest.fixture(scope="module")
def counted() -> Counted:
    return counted_all(estimate_tokens, None)


def rows(text: str) -> list[list[str]]:
    """Give the cells of all tables."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]


def stated_tokens() -> list[str]:
    return [row[TOKENS] for row in rows(block(PAGE, "costs")) if row[TOKENS][0].isdigit()]


def test_the_page_holds_the_calls_and_lines_that_are_measured(counted: Counted) -> None:
    stated, measured = rows(block(PAGE, "costs")), rows(costs_text(counted))
    for row in (*stated, *measured):
        del row[TOKENS : EXACT + 1]
    assert stated == measured


def test_the_page_holds_the_results_that_are_measured(counted: Counted) -> None:
    assert block(PAGE, "results") == results_text(counted)


def test_the_page_holds_the_tokens_that_are_measured(counted: Counted) -> None:
    stated = [int(number.replace(",", "")) for number in stated_tokens()]
    measured = [total(one) for _, settings in counted for one in settings.values()]
    assert stated == pytest.approx(measured, rel=0 if IS_SAME else 0.2), "python -m tests.benchmarks.peers --write"


def test_the_picture_shows_the_tokens_of_the_page() -> None:
    assert re.findall(r">([\d,]+)</text>", PICTURE)
    assert [number for number in stated_tokens() if f">{number}</text>" not in PICTURE] == []


def test_the_page_says_where_a_peer_is_better(counted: Counted) -> None:
    assert block(PAGE, "better") == better_text(counted)


def test_no_more_calls_than_deepagents_and_two_thirds_of_the_tokens_of_a_swarm(counted: Counted) -> None:
    found = {scenario.name: settings for scenario, settings in counted}
    for scenario in (BY_TOOL, IN_PROMPT):
        assert found[scenario.name][OURS].calls <= found[scenario.name][DEEP].calls
    compared = found[BY_TOOL.name]
    assert total(compared[OURS]) * 3 <= total(compared[SWARM]) * 2


def test_no_result_is_lost_and_every_bad_one_is_caught_and_put_right(counted: Counted) -> None:
    for scenario, settings in counted:
        ours = settings[OURS]
        assert ours.figures == len(scenario.figures())
        assert ours.caught in (None, 2)
        assert ours.figures_after in (None, 2 * ours.figures)


def test_every_setting_is_on_the_page_in_every_scenario_that_it_builds() -> None:
    names = [row[0] for row in rows(block(PAGE, "costs"))]
    assert [names.count(one.name) for one in SETTINGS] == [
        sum(scenario.variant in one.modules for scenario in SCENARIOS) for one in SETTINGS
    ]
    assert len(re.findall("^### ", block(PAGE, "costs"), flags=re.MULTILINE)) == len(SCENARIOS)


def test_lines_are_counted_without_blank_ones_comments_and_docstrings(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        '"""A\nmodule."""\n\n# why\nTEXT = """two\nlines"""\n\n\ndef f():\n    """Do."""\n    return 1  # so\n'
    )
    assert lines_of_code(module) == 4


def test_the_time_of_models_that_work_side_by_side_counts_once() -> None:
    spans = [(0.0, 2.0), (1.0, 3.0), (1.5, 1.75), (5.0, 6.0)]
    run = Run([], [Sent("a", [], [], was_refused=False, began_s=began, ended_s=ended) for began, ended in spans], 0, 0)
    assert run.models_s == 4.0
