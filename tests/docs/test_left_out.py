"""Where there is no browser, the last lines of the tests say which of them were left out, and nothing is skipped."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent.parent


def test_without_a_browser_the_last_lines_name_the_tests_that_were_left_out(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", str(TESTS / "browser"), "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PATH": str(tmp_path)}
    ran = subprocess.run(command, cwd=TESTS.parent, env=environment, capture_output=True, text=True, check=False)
    left_out, counted = ran.stdout.strip().splitlines()[-2:]
    assert left_out == (
        "LEFT OUT: test_report_in_a_browser.py, test_site_in_a_browser.py; "
        "no Chromium was found: apt-get install chromium"
    )
    assert "deselected" in counted
    assert "skipped" not in counted
