"""The `crux-langgraph` command. It is always installed; what it is made of comes with the extra `cli`."""

import sys

__all__ = ["main"]

_EXTRA = frozenset({"typer", "rich"})


def main() -> None:
    """Run the command with `sys.argv`. Without the extra it says in one line what to install, and exits with 2."""
    try:
        from crux_langgraph.cli._app import run
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRA:
            raise
        print(f'crux-langgraph needs {package}: pip install "crux-langgraph[cli]"', file=sys.stderr)
        raise SystemExit(2) from None
    run()
