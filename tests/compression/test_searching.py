"""The searches for how much fits."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from crux_langgraph.compression._budget import longest, longest_by_rooms

COSTS = st.lists(st.integers(0, 90), max_size=300)
BUDGET = st.integers(0, 9_000)


@given(costs=COSTS, budget=BUDGET)
def test_both_searches_find_the_most_that_fits(costs: list[int], budget: int) -> None:
    used = list(accumulate(costs, initial=0))
    most = max(count for count, taken in enumerate(used) if taken <= budget)
    assert longest(len(costs), lambda count: used[count] <= budget) == most
    assert longest_by_rooms(len(costs), lambda count: budget - used[count]) == most


@given(costs=st.lists(st.integers(40, 60), min_size=200, max_size=300), budget=BUDGET)
def test_where_costs_are_about_even_few_numbers_are_tried(costs: list[int], budget: int) -> None:
    used = list(accumulate(costs, initial=0))
    tried: list[int] = []
    longest_by_rooms(len(costs), lambda count: tried.append(count) or budget - used[count])
    assert len(tried) <= 10
