"""Every snippet in README, docs and docstrings runs, and prints what the text says it prints."""

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sybil import Document, Example, Sybil
from sybil.parsers.markdown import CodeBlockParser
from sybil.parsers.rest import DocTestParser

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "crux_langgraph"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>>" in path.read_text(encoding="utf-8")]


def run_python(example: Example) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example.parsed, example.path, "exec"), example.namespace)
    example.namespace["__printed__"] = printed.getvalue()


def compare_output(example: Example) -> str | None:
    printed = stable(example.namespace.pop("__printed__", ""))
    expected = stable(example.parsed)
    return None if printed.strip() == expected.strip() else f"printed:\n{printed}\nexpected:\n{expected}"


def stable(text: str) -> str:
    """Leave out what is drawn anew each time: ids and fence markers."""
    return re.sub(r"<(/?)data [a-zA-Z]{28}>", r"<\1data …>", re.sub(r"ho-[0-9a-f]{32}", "ho-…", text))


MARKDOWN = Sybil(
    parsers=[
        CodeBlockParser(language="python", evaluator=run_python),
        CodeBlockParser(language="text", evaluator=compare_output),
    ],
    pattern="*.md",
)
DOCSTRINGS = Sybil(parsers=[DocTestParser()], pattern="*.py")


def run_all(document: Document) -> int:
    examples = list(document.examples())
    for example in examples:
        example.evaluate()
    return len(examples)


@pytest.mark.usefixtures("state_folder")
@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_snippet_of_a_page_runs_and_prints_what_the_page_shows(page: Path) -> None:
    ran = run_all(MARKDOWN.parse(page))
    assert ran == len(re.findall(r"^```(?:python|text)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE))


@pytest.mark.usefixtures("state_folder")
@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_docstring_example_runs(module: Path) -> None:
    assert run_all(DOCSTRINGS.parse(module)) > 0


def test_the_first_program_of_the_readme_runs_as_pasted_into_an_empty_folder(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    program, output = re.search(r"```python\n(.*?)```.*?```text\n(.*?)```", text, re.DOTALL).groups()
    (tmp_path / "first.py").write_text(program, encoding="utf-8")
    ran = subprocess.run([sys.executable, "first.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert stable(ran.stdout).strip() == stable(output).strip()
