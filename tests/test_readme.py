"""The README says what is so: its tables are the measured ones, its files exist, its code runs."""

import re
import shlex
from pathlib import Path

import pytest

from benchmarks import tables
from pgt.__main__ import build_parser
from pgt.config import PRESETS
from pgt.data.readers.catalogue import READERS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()


MEASURED = [
    (page, name) for page in tables.PAGES for name in tables.blocks(page.read_text()) if name != "badges"
]


@pytest.mark.parametrize(("page", "name"), MEASURED, ids=lambda value: getattr(value, "parent", value))
def test_tables_are_the_measured_ones(page, name):
    shown = tables.block(page.read_text(), name)[2]
    assert shown == (tables.RESULTS / f"{name}.md").read_text()
    assert re.search(r"^\| ---", shown, re.MULTILINE)


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


def commands(page: Path) -> list[str]:
    """List the lines of a page's code blocks that call `pgt`, without their comments."""
    blocks = re.findall(r"^ *```bash\n(.*?)```", page.read_text(), re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.partition("#")[0].strip() for line in lines if re.match(r"pgt |accelerate ", line.strip())]


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "data" / "README.md"], ids=["root", "data"])
def test_commands_parse(page):
    """Every command has known options, presets, readers and bundled weights."""
    found = commands(page)
    assert len(found) >= 5
    for line in found:
        options = build_parser().parse_args(shlex.split(line.rpartition(" -m pgt ")[2].removeprefix("pgt ")))
        preset = getattr(options, "preset", None)
        if preset is not None:
            assert preset in PRESETS, line
            assert preset.startswith(options.approach), line
        for data in (getattr(options, "data", None), getattr(options, "photos", None)):
            reader, colon, _ = (data or "").partition(":")
            assert not colon or reader in {*READERS, "video"}, line


def test_real_data_has_a_command_for_every_reader():
    section = TEXT.split("## Train on real data")[1].split("\n## ")[0]
    for reader in ("market1501", "deepfashion", "penn-action", "bbc-pose", "human3.6m", "coco", "openpose"):
        assert re.search(rf"^pgt train .*\b{re.escape(reader)}:", section, re.MULTILINE), reader
    assert "--scenes places2" in section
    assert "video:" in section


@pytest.mark.parametrize("page", tables.PAGES, ids=["root", "benchmarks"])
def test_measuring_commands_exist_with_their_options(page):
    for name, words in re.findall(r"python -m benchmarks\.(\w+)([^`]*)", page.read_text()):
        places = [ROOT / "benchmarks" / f"{name}.py", ROOT / "benchmarks" / "ablations" / "command.py"]
        code = "".join(place.read_text() for place in places if place.exists())
        assert places[0].exists() or (places[0].with_suffix("") / "__main__.py").exists(), name
        for option in re.findall(r"--[a-z-]+", words.partition("-->")[0]):
            assert f'"{option}"' in code, f"benchmarks.{name} {option}"
