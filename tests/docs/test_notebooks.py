"""The notebooks as they are committed: run from first to last, and looked at without running. `.ci/run` executes them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent.parent / "notebooks").glob("*.ipynb"))


def cells_of(notebook: Path, kind: str) -> list[dict[str, Any]]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == kind]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_as_one_run_left_it(notebook: Path) -> None:
    code = cells_of(notebook, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    kinds = {output["output_type"] for cell in code for output in cell["outputs"]}
    assert "stream" in kinds
    assert "error" not in kinds


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_begins_with_what_its_reader_will_be_able_to_do(notebook: Path) -> None:
    first = "".join(cells_of(notebook, "markdown")[0]["source"])
    assert "After this notebook you can" in first
    assert "No key is needed" in first


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_one_variable_switches_a_real_model_on(notebook: Path) -> None:
    assert "".join(cells_of(notebook, "code")[0]["source"]).startswith("MODEL = None")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_link_of_a_notebook_leads_to_a_file(notebook: Path) -> None:
    told = "".join("".join(cell["source"]) for cell in cells_of(notebook, "markdown"))
    links = [link for link in re.findall(r"\]\(([^)\s#]+)", told) if "://" not in link]
    assert [link for link in links if not (notebook.parent / link).exists()] == []
