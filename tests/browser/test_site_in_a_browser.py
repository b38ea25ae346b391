"""The documentation site in a browser: each page on a laptop and on a phone, served or from the disk, without a network."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from headless import LAPTOP, PHONE, Browser
from served import served

pytestmark = [pytest.mark.browser, pytest.mark.site]

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES = sorted(str(page.relative_to(DOCS).with_suffix(".html")) for page in DOCS.rglob("*.md"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site."""
    built = tmp_path_factory.mktemp("site")
    command = ["mkdocs", "build", "--quiet", "--strict", "-f", str(DOCS / "building" / "mkdocs.yml"), "-d", str(built)]
    measured = [name for name in os.environ if name.startswith("COVERAGE")]  # nothing of the package runs here
    environment = {name: value for name, value in os.environ.items() if name not in measured}
    environment["NO_MKDOCS_2_WARNING"] = "1"
    subprocess.run([sys.executable, "-m", *command], check=True, env=environment, capture_output=True)
    return built


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Serve the site, as its readers get it."""
    with served(partial(Quiet, directory=str(site))) as url:
        yield url


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def faults(tab: Browser, base: str, page: str) -> dict[str, Any]:
    """Give by how much a page is too wide for a laptop and for a phone, what it complains about and asks of others."""
    tab.open(f"{base}/{page}", LAPTOP)
    found: dict[str, Any] = {"laptop": max(tab.overflow(), 0)}
    tab.resize(PHONE)
    found["phone"] = max(tab.overflow(), 0)
    found["complaints"] = list(tab.complaints)
    found["outside"] = [address for address in tab.asked if not address.startswith((base, "data:", "blob:"))]
    return {kind: fault for kind, fault in found.items() if fault}


def test_no_page_is_wider_than_a_laptop_or_a_phone_nor_complains(site: Path, tab: Browser) -> None:
    found = {page: faults(tab, site.as_uri(), page) for page in PAGES}
    assert len(found) > 15
    assert {page: fault for page, fault in found.items() if fault} == {}


def test_a_page_that_is_served_is_as_sound(address: str, tab: Browser) -> None:
    assert faults(tab, address, "reference/handoffs.html") == {}


def test_the_search_is_offered_where_it_works(site: Path, address: str, tab: Browser) -> None:
    button = "getComputedStyle(document.querySelector('.md-header [for=__search]')).display"
    tab.open(f"{address}/index.html", PHONE)
    assert tab.ask(button) != "none"
    tab.open((site / "index.html").as_uri(), PHONE)
    assert tab.ask(button) == "none"
