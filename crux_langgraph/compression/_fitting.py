"""The deterministic fit: any payload as text within a token budget."""

from collections.abc import Callable, Sequence

from pydantic import BaseModel

from crux_langgraph.compression._counting import Counter, estimate_tokens
from crux_langgraph.compression._fitted import Fitted


def as_it_is(text: str) -> str:
    """Wrap nothing around a text."""
    return text


def fit(
    value: object,
    max_tokens: int,
    *,
    counter: Counter = estimate_tokens,
    task: str = "",
    focus: Sequence[str] = (),
    receiver: type[BaseModel] | None = None,
    wrap: Callable[[str], str] = as_it_is,
) -> Fitted:
    """Give a model, messages, JSON-like data or text as text of at most `max_tokens` tokens by `counter`.

    What fits is given as it is: a model or data as JSON, messages as `name: content` lines, text unchanged. Else it is
    re-encoded without loss; else the most useful pieces are kept, in their order, with `…` where something is missing.
    Useful is what carries facts and what stands near the words of `task`, of `focus` and of the fields of `receiver`.
    `wrap` puts a frame around the text (it must keep the text whole): the budget holds for the framed text, and the
    answer's `text` is without it. Pure: the same arguments give the same answer.

    Raises `DoesNotFitError` when the pinned fields, or the frame alone, take more than `max_tokens`, and
    `DefinitionError` for arguments that cannot be meant, such as a budget of 0, an object without a JSON form, or data
    that contains itself.
    """
    from crux_langgraph.compression._refusing import check_options, readable  # whoever calls `fit` alone needs it

    with readable(value):
        check_options(max_tokens, counter, task, focus, receiver)
        return fit_checked(value, max_tokens, counter=counter, task=task, focus=focus, receiver=receiver, wrap=wrap)


def fit_checked(
    value: object,
    max_tokens: int,
    *,
    counter: Counter,
    task: str = "",
    focus: Sequence[str] = (),
    receiver: type[BaseModel] | None = None,
    wrap: Callable[[str], str] = as_it_is,
) -> Fitted:
    """Do what `fit` does, with arguments that are known to be right. A budget below 1 holds no frame."""
    # Most programs that import this package never cut anything: the tables of words are loaded when something is cut.
    from crux_langgraph.compression._budget import Budget
    from crux_langgraph.compression._relevance import Query
    from crux_langgraph.compression._tiers import Fitting
    from crux_langgraph.compression._tree import read

    return Fitting(read(value), Budget(max_tokens, counter, wrap), Query(task, tuple(focus), receiver)).fit()
