"""Every backend passes the public suite."""

from pathlib import Path
from typing import Any

import pytest

from crux_langgraph.stores import Store
from crux_langgraph.stores.sqlite import SqliteStore
from crux_langgraph.testing import STORE_CHECKS, check_store


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
def test_a_store_keeps_its_promises(check: Any, store: Store) -> None:
    check(store)


def test_the_whole_suite_is_one_call(tmp_path: Path) -> None:
    fresh = iter(range(len(STORE_CHECKS)))
    check_store(lambda: SqliteStore(tmp_path / f"{next(fresh)}.sqlite", synchronous="off"))
    assert next(fresh, None) is None


class Forgetful(SqliteStore):
    def settle(self, *args: Any, **options: Any) -> bool:
        return True

    def get(self, *args: Any) -> None:
        return None

    def claim(self, *args: Any, **options: Any) -> None:
        return None


@pytest.mark.parametrize("check", [STORE_CHECKS[0], STORE_CHECKS[7]], ids=lambda check: check.__name__)
def test_a_store_that_breaks_a_promise_is_told_which(check: Any) -> None:
    with pytest.raises(AssertionError, match=r"expected|free"):
        check(Forgetful(":memory:"))


class Reversed(SqliteStore):
    def page(self, *args: Any, **options: Any) -> Any:
        return super().page(*args, **options)[::-1]


def test_what_a_store_gives_in_place_of_what_it_should_is_shown() -> None:
    check = next(check for check in STORE_CHECKS if check.__name__ == "pages_go_from_new_to_old")
    with pytest.raises(AssertionError, match=r"all is \[1, 2, 3, 4, 5, 6\] and should be \[6, 5, 4, 3, 2, 1\]"):
        check(Reversed(":memory:"))
