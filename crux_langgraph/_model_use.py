"""What a model's part in a payload came to: for the receipt."""

from typing import Any, Literal, NamedTuple

Reason = Literal["timeout", "rate_limited", "empty", "too_long", "invented", "provider_error", "limits"]
"""Why the deterministic fit had to step in.

`timeout`: no answer in time. `rate_limited`: the provider refused for now. `empty`: an answer without text.
`too_long`: an answer over its quota, cut to it. `invented`: sentences with numbers or ids that the source does not
have, removed. `provider_error`: the call failed. `limits`: a call that the limits did not allow was not made.
"""


SUMMARY_PATH = "(summary)"
"""Stands in a receipt for the summary itself, beside the paths of what it is a summary of."""


class ModelUse(NamedTuple):
    """What a model was asked for one payload, and what became of it.

    `tokens_read` are those of all `calls` together, by the handoff's counter; `levels` is 2 when one more call put the
    answers together; `duration_s` are the seconds spent waiting for it. `used` says whether its words are in the
    context. `degraded` says why the deterministic fit stepped in, `extracted` for which fields, `invented` holds the
    sentences that were removed. `preselected`: it was given an extract of the prose, as all of it was more than the
    limits allow.
    """

    used: bool
    calls: int = 0
    tokens_read: int = 0
    levels: int = 0
    duration_s: float = 0.0
    degraded: tuple[Reason, ...] = ()
    invented: tuple[str, ...] = ()
    extracted: tuple[str, ...] = ()
    preselected: bool = False

    def to_json(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        lists = {"degraded": list(self.degraded), "invented": list(self.invented), "extracted": list(self.extracted)}
        return {**self._asdict(), **lists}
