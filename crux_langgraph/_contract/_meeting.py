"""Which members of a union meet: what one of them shows may be a value that another one hides.

They are compared by what JSON knows of a value (text, numbers, lists, mappings), since what is read back from it says no
more of itself. What is not known to be apart is taken to meet.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from itertools import product
from typing import Any

from crux_langgraph._contract._members import (
    ANY_TEXT,
    DICTS,
    LISTS,
    MAPPINGS,
    NAMED,
    NUMBERS,
    SCALARS,
    TEXTS,
    TIMES,
    UNIONS,
    Member,
    member,
)

_READ_AS_THEMSELVES = frozenset({"list", "tuple", "set", "frozenset", "dict"})
"""What pydantic takes from JSON without converting it."""
_ANY_LIST: dict[str, Any] = {"type": "list"}
_ANY_DICT: dict[str, Any] = {"type": "dict"}


class Lead(IntEnum):
    """What speaks for a member of a union where it and another one may both take a value."""

    NONE = 0
    """It stands behind the other one: it gets what fits it better, as a text fits `str` better than `date`."""
    PLACE = 1
    """It stands before the other one: it also gets what fits both alike."""
    ANY = 2
    """Nothing says which one fits better: it may also get what it has to convert."""


class Meeting:
    """Compares members of a union."""

    def __init__(self, definitions: Mapping[str, Any], hides: Callable[[Any, bool], bool]) -> None:
        """Take what schemas refer to, and whether a schema hides anything (also in models, or only outside of them)."""
        self._definitions = definitions
        self._hides = hides
        self._open: set[tuple[Any, ...]] = set()

    def shows(self, public: Any, private: Any, lead: Lead, *, whole: bool = False) -> bool:
        """Say whether `public` may show what `private` hides, `whole` if that is all of it."""
        asked = (id(public), id(private), lead, whole)
        if asked in self._open:
            return False
        self._open.add(asked)
        shown, hidden = member(public, self._definitions), member(private, self._definitions)
        whole = whole or hidden.is_private
        found = not shown.is_private and (whole or self._hides(private, True))
        found = found and self._meet(shown, hidden, lead if shown.is_root == hidden.is_root else Lead.ANY, whole)
        self._open.remove(asked)
        return found

    def _meet(self, public: Member, private: Member, lead: Lead, whole: bool) -> bool:
        if self._takes(public, private, lead, whole):
            return True
        if UNIONS & {public.kind, private.kind}:
            return self._any_meet(product(public.choices(), private.choices()), lead, whole)
        if private.kind == "any":
            return bool(lead) or public.kind in MAPPINGS
        if private.kind in SCALARS:
            return whole and _alike(public, private, lead)
        return self._lists_meet(public, private, lead, whole) or self._mappings_meet(public, private, lead, whole)

    def _takes(self, public: Member, private: Member, lead: Lead, whole: bool) -> bool:
        if not lead:
            return public.takes_any and private.kind not in SCALARS
        if public.kind == "any" or public.takes_any or public.writes_any:
            return True
        return public.passes_on and (whole or self._hides(private.schema, False))

    def _lists_meet(self, public: Member, private: Member, lead: Lead, whole: bool) -> bool:
        public = _as(public, _ANY_LIST)
        if not {public.kind, private.kind} <= LISTS:
            return False
        places = public.has_places() and private.has_places()
        pairs = (
            zip(public.items(), private.items(), strict=False) if places else product(public.items(), private.items())
        )
        return self._any_meet(pairs, _lead_inside(public, private, lead), whole)

    def _mappings_meet(self, public: Member, private: Member, lead: Lead, whole: bool) -> bool:
        public = _as(public, _ANY_DICT)
        if not {public.kind, private.kind} <= MAPPINGS:
            return False
        if {public.kind, private.kind} <= DICTS:
            (key, value), (hidden_key, hidden_value) = public.entries(), private.entries()
            # In JSON any key is a text, so what it is read back as is converted.
            keys_meet = self.shows(key, hidden_key, Lead.ANY if lead else lead, whole=whole)
            return keys_meet or self.shows(value, hidden_value, _lead_inside(public, private, lead), whole=whole)
        return bool(lead) or public.kind != "named-tuple"

    def _any_meet(self, pairs: Iterable[tuple[Any, Any]], lead: Lead, whole: bool) -> bool:
        return any(self.shows(public, private, lead, whole=whole) for public, private in pairs)


def _lead_inside(public: Member, private: Member, lead: Lead) -> Lead:
    """Give what speaks for the one of two lists or dicts. JSON has one kind of each: there, a deque is a list."""
    is_itself = private.kind in _READ_AS_THEMSELVES and not private.is_converted
    if public.kind == private.kind and (is_itself or not lead):
        return lead
    return max(lead, Lead.PLACE) if is_itself and private.kind in ("list", "dict") else Lead.ANY


def _alike(public: Member, private: Member, lead: Lead) -> bool:
    if public.kind not in SCALARS:
        return False
    if lead is Lead.ANY and public.kind != "literal":
        return True
    if not lead:
        return False  # what is private as a whole is masked whatever it is: nothing is written by what stands behind it
    if public.kind in NAMED:
        return private.kind in NAMED and not set(public.values()).isdisjoint(private.values())
    kinds = [type(one).__name__ for one in private.values()] if private.kind in NAMED else [private.kind]
    return any(_may_be_both(public.kind, kind) for kind in kinds)


def _as(public: Member, kind: dict[str, Any]) -> Member:
    """Give what takes anything as what takes any list, or any mapping."""
    return public._replace(schema=kind) if public.kind == "any" else public


def _may_be_both(kind: str, other: str) -> bool:
    """Whether one JSON value may be of both kinds. Any text may be a plain one, and dates and times look alike."""
    kinds = {kind, other}
    texts = kinds <= TEXTS and (not kinds.isdisjoint(ANY_TEXT) or kinds <= TIMES)
    return texts or kind == other or kinds <= NUMBERS
