"""Which process this is: asked before each use of a connection, since a fork hands connections down that must not be used."""

import os

_id = os.getpid()


def process_id() -> int:
    """Give the id of this process, without asking the system each time."""
    return _id


def _forked() -> None:
    global _id  # noqa: PLW0603 - the one thing of a process that changes, when it is forked
    _id = os.getpid()


# Not everywhere can a process fork.
getattr(os, "register_at_fork", lambda **_: None)(after_in_child=_forked)
