"""One Chromium for all tests with a browser."""

from collections.abc import Iterator

import pytest
from headless import Browser, browser


@pytest.fixture(scope="session")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Give the one tab of a headless Chromium."""
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened
