"""StopError: the command cannot go on, and one line tells a person why."""


class StopError(Exception):
    """Where something is wrong, what was found, and what to do: one line for stderr. The exit code is 2."""

    def __init__(self, *, found: str, where: str = "", fix: str = "") -> None:
        told = f"{where}: {found}" if where else found
        super().__init__(f"{told}; {fix}" if fix else told)
