"""The notebooks: each runs in time from top to bottom, passes its own checks, links to what exists."""

import re
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
PATHS = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
SECONDS_PROMISED = 240  # measured when a notebook was last executed, and said in its header
SECONDS_ALLOWED = 480  # here: with one of the cores, beside another notebook
# Every cell runs here, but trainings of more than 45 steps take a third of their steps: what the whole ones
# come to is in the notebooks, by `notebooks/execute.py`.
SHORTER_TRAININGS = """
from dataclasses import replace
from pgt.training import engine

whole_fit = engine.fit

def shorter_fit(recipe, dataset, stages, *arguments, **named):
    counts = [min(stage.num_steps, max(45, stage.num_steps // 3)) for stage in stages]
    stages = [replace(stage, num_steps=count) for stage, count in zip(stages, counts)]
    return whole_fit(recipe, dataset, stages, *arguments, **named)

engine.fit = shorter_fit
"""
EXERCISE = "# Your turn"
sys.path.insert(0, str(NOTEBOOKS))


def solutions(path: Path) -> dict[str, str]:
    """Return the solutions of a notebook: name of the function asked for -> its code."""
    text = (NOTEBOOKS / "solutions" / f"{path.stem}.py").read_text()
    blocks = re.split(r"^(?=def )", text, flags=re.MULTILINE)[1:]
    return {re.match(r"def (\w+)", block)[1]: block for block in blocks}


def with_solutions(path: Path) -> nbformat.NotebookNode:
    """Return the notebook with every exercise cell's function replaced by its solution."""
    notebook, answers = nbformat.read(path, as_version=4), solutions(path)
    for cell in notebook.cells:
        if cell.cell_type == "code" and EXERCISE in cell.source:
            name = re.search(r"^def (\w+)", cell.source, re.MULTILINE)[1]
            cell.source = answers[name] + "\n" + cell.source.split("# Check\n", 1)[1]
    return notebook


@pytest.mark.notebook
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_runs_with_its_solutions(path):
    from execute import execute

    notebook = with_solutions(path)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(SHORTER_TRAININGS))
    seconds = execute(notebook)
    assert seconds < SECONDS_ALLOWED
    printed = "".join(o.get("text", "") for c in notebook.cells for o in c.get("outputs", []))
    code = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert printed.count("Correct:") == sum(EXERCISE in source for source in code)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_is_executed_and_has_no_errors(path):
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code" and c.source.strip()]
    counts = [c.execution_count for c in cells]
    assert counts == list(range(1, len(cells) + 1)), "run `python notebooks/execute.py`"
    assert not [o for c in cells for o in c.outputs if o.output_type == "error"]
    assert path.stat().st_size < 2_500_000


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_teaches_with_the_library(path):
    """No network is defined; cells are short, imports apart; the header says what one learns and the time."""
    notebook = nbformat.read(path, as_version=4)
    code = [c.source for c in notebook.cells if c.cell_type == "code"]
    assert not [s for s in code if "nn.Module" in s]
    assert max(len(re.findall(r"^(?!import |from )", s, re.MULTILINE)) for s in code) <= 24
    assert sum(EXERCISE in s for s in code) == len(solutions(path)) >= 1
    header = notebook.cells[0].source
    assert "What you will learn" in header
    assert int(re.search(r"^\*Time: (\d+) s", header, re.MULTILINE)[1]) < SECONDS_PROMISED


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_links_lead_somewhere(path):
    texts = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    for text in texts:
        for target in re.findall(r"\]\((?!http|#|data:|attachment:)([^)#]+)", text):
            assert (NOTEBOOKS / target).exists(), f"{path.name} links to {target}"
