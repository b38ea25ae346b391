"""The pages: every public name stands in the reference, every error is explained, every link leads somewhere."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import crux_langgraph
from crux_langgraph import errors

ROOT = Path(__file__).parent.parent.parent
REFERENCE = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "reference").glob("*.md"))
DOCUMENTED = set(re.findall(r"^::: (\S+)$", REFERENCE, flags=re.MULTILINE))
INNER = {"cli", "compression", "graph", "instrumentation", "stores"}
"""Modules that offer names to this package; what a user needs of them is offered by the package itself."""

MODULES = [crux_langgraph.__name__] + [
    f"{crux_langgraph.__name__}.{module.name}"
    for module in pkgutil.iter_modules(crux_langgraph.__path__)
    if module.name[0] != "_" and module.name not in INNER
]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / ".github").rglob("*.md"))]


def is_documented(module: str, name: str) -> bool:
    return bool({f"{module}.{name}", module, f"{crux_langgraph.__name__}.{name}"} & DOCUMENTED)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_stands_in_the_reference(module: str) -> None:
    offered = importlib.import_module(module).__all__
    assert [name for name in offered if not is_documented(module, name)] == []


@pytest.mark.parametrize("path", sorted(DOCUMENTED))
def test_what_the_reference_names_is_there(path: str) -> None:
    module, _, name = path.rpartition(".")
    assert hasattr(importlib.import_module(module), name)


def test_every_error_that_can_be_raised_is_explained() -> None:
    explained = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    classes = [value for name in errors.__all__ if inspect.isclass(value := getattr(errors, name))]
    raised = [kind for kind in classes if issubclass(kind, errors.CruxError) and not kind.__subclasses__()]
    assert [kind.__name__ for kind in raised if f"`{kind.__name__}`" not in explained] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_between_files_leads_to_one(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []
