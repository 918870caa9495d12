"""The README says what is so: its tables are the measured ones, its files exist, its code runs."""

import re
from pathlib import Path

import pytest

from benchmarks import tables
from pgt.__main__ import main

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", ["quality", "speed", "deformable"])
def test_tables_are_the_measured_ones(name):
    assert tables.block(TEXT, name)[2] == (ROOT / "benchmarks" / "results" / f"{name}.md").read_text()


def test_badges_follow_from_the_two_addresses():
    assert tables.block(TEXT, "badges")[2] == tables.badges()
    assert tables.badges("", "") == ""
    made = tables.badges("https://github.com/somebody/something", "somebody")
    assert "colab.research.google.com/github/somebody/something/blob/main/notebooks/00_tour.ipynb" in made
    assert "huggingface.co/somebody" in made


def test_files_it_names_exist():
    for target in re.findall(r"\]\((?!http|#)([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target
    tree = TEXT.split("## What is where")[1].split("```")[1]
    folder = ROOT
    for line in tree.strip().splitlines():
        name = line.split()[0]
        folder = folder if line.startswith("  ") else ROOT
        assert (folder / name).exists(), name
        folder = ROOT / name if not line.startswith("  ") else folder


def test_eight_lines_run(capsys):
    code = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1]
    assert len(code.strip().splitlines()) <= 8
    exec(code, {})
    assert re.match(r"\(128, 128, 3\) \d+ ms", capsys.readouterr().out)


def test_commands_parse(capsys):
    """Every `pgt ...` line of the README has known options."""
    for line in re.findall(r"^pgt (.*?)(?:#.*)?$", TEXT, re.MULTILINE):
        command, *words = line.split()
        with pytest.raises(SystemExit):
            main([command, "--help"])
        known = capsys.readouterr().out
        assert all(word in known for word in words if word.startswith("--")), line
