"""The command as a process: its script, its help, its ends, and what it says when the extra is missing."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crux_langgraph.cli import main
from crux_langgraph.cli._app import app

SCRIPT = Path(sys.executable).with_name("crux-langgraph")
WITHOUT = "import sys; sys.modules[{name!r}] = None; from crux_langgraph.cli import main; main()"


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_the_console_script_runs_the_demo_and_says_nothing_on_stderr():
    ran = subprocess.run([SCRIPT, "demo"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "All conversations" in ran.stdout


@pytest.mark.parametrize("name", ["typer", "rich"])
def test_without_the_extra_one_line_says_what_to_install(name):
    ran = run_python(WITHOUT.format(name=name))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f'crux-langgraph needs {name}: pip install "crux-langgraph[cli]"\n'


def test_another_missing_module_is_not_mistaken_for_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "crux_langgraph.cli._app", None)
    with pytest.raises(ModuleNotFoundError, match="_app"):
        main()


def test_importing_the_command_does_not_load_what_the_extra_brings():
    code = "import sys, crux_langgraph.cli; sys.exit('typer' in sys.modules)"
    assert run_python(code).returncode == 0


def test_the_version_is_that_of_the_package(command):
    ran = command("--version")
    assert (ran.code, ran.out) == (0, f"crux-langgraph {version('crux-langgraph')}\n")


def test_help_names_the_command_and_every_option():
    runner = CliRunner()
    assert "demo" in runner.invoke(app, ["--help"]).output
    shown = runner.invoke(app, ["demo", "-h"]).output
    for option in ("--input", "--budget", "--limit", "--model", "--json", "Exit code"):
        assert option in shown


def test_without_a_command_the_help_is_shown(command):
    ran = command()
    assert "demo" in ran.out + ran.err


@pytest.mark.parametrize("arguments", [("demo", "--limit", "0"), ("demo", "--budget", "no"), ("demo", "--nope")])
def test_a_wrong_option_is_refused_before_anything_runs(command, arguments):
    ran = command(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert arguments[1] in ran.err


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_reader_that_goes_away_ends_the_command_quietly(options):
    with subprocess.Popen(
        [SCRIPT, "demo", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        running.stdout.close()
        complaint = running.stderr.read()
    assert complaint == ""


def test_piped_output_has_no_colours_and_a_narrow_terminal_no_longer_lines():
    ran = subprocess.run(
        [SCRIPT, "demo"], capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "40"}
    )
    assert "\x1b" not in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 40
    assert "airline-3" in ran.stdout


def test_a_terminal_that_knows_only_ascii_still_gets_the_demo():
    settings = {"PYTHONIOENCODING": "ascii", "COLUMNS": "100"}
    ran = subprocess.run([SCRIPT, "demo"], capture_output=True, check=False, env={**os.environ, **settings})
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.isascii()


def test_a_stream_that_is_no_text_wrapper_is_left_alone(command, monkeypatch):
    class Elsewhere:
        encoding = "utf-8"

        def write(self, text):
            return len(text)

        def flush(self):
            pass

    monkeypatch.setattr(sys, "stderr", Elsewhere())
    assert command("--version").code == 0
