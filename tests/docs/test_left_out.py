"""Where there is no browser, the last lines of the tests say which of them were left out, and nothing is skipped."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

TESTS = Path(__file__).parent.parent


def test_without_a_browser_the_last_lines_name_the_tests_that_were_left_out(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", str(TESTS / "browser"), "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PATH": str(tmp_path)}
    ran = subprocess.run(command, cwd=TESTS.parent, env=environment, capture_output=True, text=True, check=False)
    *_, counted = lines = ran.stdout.strip().splitlines()
    without_browser = "LEFT OUT: test_report_in_a_browser.py, test_site_in_a_browser.py; no Chromium was found: "
    expected = [f"{without_browser}apt-get install chromium"]
    if find_spec("mkdocs") is None:
        expected.append("LEFT OUT: test_site_in_a_browser.py; mkdocs is not installed: uv sync --group docs")
    assert lines[-1 - len(expected) : -1] == expected
    assert "deselected" in counted
    assert "skipped" not in counted
