"""The page of a `TraceReport` in a browser: on a laptop and a phone, light and dark, by keyboard, without a network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from headless import LAPTOP, PHONE, SCREENS, Browser, Screen
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from support import BAD, State, make, two_agents

from crux_langgraph import errors
from crux_langgraph.instrumentation import TraceReport

pytestmark = pytest.mark.browser

LONG = {"question": "Why?", "findings": [f"Finding {number}: " + "some words " * 9 for number in range(60)]}
HOSTILE = "</pre><script>console.error('ran')</script><img src='https://example.com/x.png'>" + "unbreakable" * 60
WORST = "document.querySelectorAll('details').forEach(d => d.open = true)"
SEEN = "Array.from(document.querySelectorAll({!r})).filter(e => e.checkVisibility()).map(e => e.innerText)"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the address of a page with a handoff that was cut, one that failed, an interrupt, and hostile texts."""
    heard = TraceReport()
    config: Any = {"callbacks": [heard], "configurable": {"thread_id": "1"}}
    contract = make(max_tokens=300)
    two_agents(contract, found=LONG).compile().invoke({"seen": HOSTILE}, config)
    with pytest.raises(errors.InputError):
        two_agents(make(), found=BAD).compile().invoke({}, config)
    builder: Any = StateGraph(State)
    builder.add_node("a" * 300, lambda _: {"seen": interrupt("go on?")})
    builder.add_edge(START, "a" * 300)
    builder.compile(checkpointer=InMemorySaver()).invoke({}, config)
    return heard.write(tmp_path_factory.mktemp("page") / "run.html").as_uri()


@pytest.fixture(params=SCREENS, ids=str)
def opened(request: pytest.FixtureRequest, tab: Browser, report: str) -> Iterator[Browser]:
    tab.open(report, request.param)
    yield tab
    assert tab.complaints == []
    assert [address for address in tab.asked if not address.startswith("data:")] == [report]


@pytest.mark.parametrize("screen", SCREENS[:2], ids=str)
def test_the_ruler_finds_what_is_wider_than_a_screen(tab: Browser, screen: Screen) -> None:
    viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    tab.open(f"data:text/html,{viewport}<div style='width:{screen.width + 7}px;margin-left:-8px'>x", screen)
    assert tab.overflow() > 0


def test_nothing_is_wider_than_the_screen_folded_or_unfolded(opened: Browser) -> None:
    assert opened.overflow() == 0
    opened.ask(WORST)
    assert opened.overflow() == 0


def test_what_went_wrong_is_seen_without_a_click(opened: Browser) -> None:
    problems = opened.ask(SEEN.format(".problems, pre.problem"))
    assert len(problems) == 2
    assert all("findings: expected a valid list, found str" in problem for problem in problems)


def test_every_text_is_large_enough_and_stands_out_from_its_ground(opened: Browser) -> None:
    opened.ask(WORST)
    assert opened.ask(FAINT) == []


FAINT = """
(() => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => channels(colour).slice(0, 3)
    .map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = element => {
    const colour = getComputedStyle(element).backgroundColor;
    const opaque = (channels(colour)[3] ?? 1) === 1;
    return opaque ? colour : element.parentElement ? ground(element.parentElement) : 'rgb(255, 255, 255)';
  };
  const texts = Array.from(document.querySelectorAll('body *')).filter(e => e.checkVisibility()
    && Array.from(e.childNodes).some(n => n.nodeType === 3 && n.data.trim()));
  return texts.filter(e => {
    const [one, other] = [light(getComputedStyle(e).color), light(ground(e))].sort((a, b) => b - a);
    return (one + 0.05) / (other + 0.05) < 4.5 || parseFloat(getComputedStyle(e).fontSize) < 12;
  }).map(e => e.tagName + ': ' + e.innerText.slice(0, 40));
})()
"""
"""WCAG 2.2, 1.4.3: a contrast of at least 4.5 to 1, by its own formula of relative luminance."""


def test_dark_is_dark_and_light_is_light(tab: Browser, report: str) -> None:
    grounds = []
    for screen in (LAPTOP, Screen(LAPTOP.width, dark=True)):
        tab.open(report, screen)
        grounds.append(tab.ask("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 23, 28)"]


def test_a_run_is_unfolded_by_keyboard_alone(tab: Browser, report: str) -> None:
    tab.open(report, LAPTOP)
    for _ in range(40):
        tab.press("Tab")
        if tab.ask("document.activeElement.tagName") == "SUMMARY":
            break
    focused = "document.activeElement.parentElement.open"
    assert tab.ask(focused) is False
    assert tab.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.press("Enter")
    assert tab.ask(focused) is True
    assert tab.ask(SEEN.format("details[open] > .body"))
    tab.press("Enter")
    assert tab.ask(focused) is False


def test_a_link_leads_to_the_run_that_it_names(tab: Browser, report: str) -> None:
    tab.open(report, PHONE)
    place = "Math.round(document.querySelector(location.hash).getBoundingClientRect().top)"
    tab.ask("document.documentElement.style.scrollBehavior = 'auto'; document.querySelector('.problems a').click()")
    assert 0 <= tab.ask(place) < 800


def test_before_and_after_stand_beside_each_other_on_a_laptop_and_below_on_a_phone(tab: Browser, report: str) -> None:
    tops = []
    for screen in (LAPTOP, PHONE):
        tab.open(report, screen)
        tab.ask(WORST)
        sides = "Array.from(document.querySelectorAll('.ours .sides')[0].children)"
        tops.append(tab.ask(f"{sides}.map(e => Math.round(e.getBoundingClientRect().top))"))
    (one, other, *_), (upper, lower, *_) = tops
    assert one == other
    assert upper < lower


def test_bars_of_one_timeline_share_their_beginning_and_their_end(tab: Browser, report: str) -> None:
    for screen in (LAPTOP, PHONE):
        tab.open(report, screen)
        tracks = "Array.from(document.querySelector('.timeline').querySelectorAll('.track'))"
        edges = tab.ask(
            f"{tracks}.map(e => e.getBoundingClientRect()).map(r => [Math.round(r.left), Math.round(r.right)])"
        )
        assert len(edges) > 3
        assert len({tuple(edge) for edge in edges}) == 1
        assert edges[0][1] - edges[0][0] > 200


def test_a_page_of_two_thousand_runs_is_laid_out(tab: Browser, tmp_path: Path) -> None:
    heard = TraceReport()
    from uuid import uuid4

    root = heard.on_chain_start({}, {}, run_id=uuid4(), name="root")
    for number in range(2_200):
        run = heard.on_chain_start({}, {"input": number}, run_id=uuid4(), parent_run_id=root.id, name=f"n{number}")
        heard.on_chain_end({"output": number}, run_id=run.id)
    heard.on_chain_end({}, run_id=root.id)
    tab.open(heard.write(tmp_path / "many.html").as_uri(), PHONE)
    assert tab.ask("document.querySelectorAll('summary').length") == 2_000
    assert tab.overflow() == 0
    assert "201 more runs are not shown" in tab.ask("document.body.innerText.slice(-60)")
