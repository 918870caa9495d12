"""The README says what is so: its tables are the measured ones, its files exist, its code runs."""

import re
from pathlib import Path

import pytest

from benchmarks import tables
from pgt.__main__ import main

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()


MEASURED = [
    (page, name) for page in tables.PAGES for name in tables.blocks(page.read_text()) if name != "badges"
]


@pytest.mark.parametrize(("page", "name"), MEASURED, ids=lambda value: getattr(value, "parent", value))
def test_tables_are_the_measured_ones(page, name):
    shown = tables.block(page.read_text(), name)[2]
    assert shown == (tables.RESULTS / f"{name}.md").read_text()
    assert shown.startswith("|")


def test_every_measurement_is_shown():
    assert {path.stem for path in tables.RESULTS.glob("*.md")} == {name for _, name in MEASURED}


def test_a_table_goes_onto_every_page_with_its_block(tmp_path, monkeypatch):
    pages = tmp_path / "a.md", tmp_path / "b.md"
    monkeypatch.setattr(tables, "PAGES", pages)
    monkeypatch.setattr(tables, "RESULTS", tmp_path / "results")
    pages[0].write_text("<!-- x: so -->\nold\n<!-- /x -->\n<!-- x-short: so -->\n<!-- /x-short -->\n")
    pages[1].write_text("before\n<!-- x: so -->\n<!-- /x -->\nafter\n")
    tables.keep("x", {"rows": 2}, "| two rows |", "| one |")
    assert [tables.block(page.read_text(), "x")[2] for page in pages] == ["| two rows |\n"] * 2
    assert tables.block(pages[0].read_text(), "x-short")[2] == "| one |\n"
    assert pages[1].read_text().endswith("after\n")
    with pytest.raises(ValueError, match="no page has a block 'y'"):
        tables.keep("y", {}, "| nowhere |")


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
