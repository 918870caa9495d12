"""Names from data never decide where something is written: all commands on data with names that lead out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgt.__main__ import main
from pgt.checkpoint import save
from pgt.config import PRESETS
from pgt.data.readers.keypoint_csv import write_keypoint_csv
from tests.data import layouts

EVIL = ("../../out_1.png", "/tmp/pgt_out_1.png", "sub/../../../out_2.png", "..")
SIZE = (64, 32)


def people(root: Path, names: tuple[str, ...]) -> Path:
    """Make a folder in which the pictures lie where the names lead, so that nothing but the name is wrong."""
    rows = {name: layouts.joints(SIZE, number) for number, name in enumerate(names)}
    for name in names:
        place = root / "images" / Path(name).name
        layouts.picture(place if place.suffix else place / "x.png", SIZE)
    write_keypoint_csv(root / "keypoints.csv", rows)
    (root / "parsing").mkdir()
    return root


def everything(root: Path) -> set[Path]:
    return set(root.rglob("*")) | set(Path("/tmp").glob("pgt_out*"))


@pytest.fixture
def tiny_preset(monkeypatch, tiny_config):
    stages = tuple(replace(stage, num_steps=1, batch_size=2) for stage in tiny_config.stages)
    monkeypatch.setitem(PRESETS, "pg2-narrow", replace(tiny_config, stages=stages))


@pytest.mark.parametrize("name", EVIL)
def test_no_command_writes_outside_its_output_folder(name, tmp_path, capsys, tiny_generator, tiny_preset):
    house = tmp_path / "a" / "b" / "c"
    data, out = people(house / "data", (name, "1_1.png", "1_2.png")), house / "out"
    good = people(house / "good", ("1_1.png", "1_2.png"))
    weights = save(tiny_generator, house / "weights")
    photo, joints = str(good / "images" / "1_1.png"), str(data / "keypoints.csv")
    out.mkdir()
    before, codes = everything(tmp_path), []
    for command in (
        ["data", "check", "folder", str(data), "--out", str(out / "sheet.png")],
        ["pseudo-labels", "--data", str(data), "--out", str(out / "labels")],
        ["train", "pg2", "--preset", "pg2-narrow", "--data", str(data), "--run-dir", str(out / "run")],
        ["evaluate", "pg2", "--weights", str(weights), "--beside", "--data", str(data), "--out",
         str(out / "scores.json")],
        ["generate", "--image", photo, "--keypoints", joints, "--target", name, "--weights",
         str(weights), "--out", str(out / "one.png")],
        ["animate", "--image", photo, "--keypoints", joints, "--poses", joints, "--weights", str(weights),
         "--out", str(out / "film.gif")],
    ):  # fmt: skip
        codes.append(main(command))
        told = capsys.readouterr().err.strip().splitlines()
        assert codes[-1] in (0, 2)
        assert codes[-1] == 0 or told[-1].startswith("pgt: ")
    assert codes[0] == 2  # such a folder is refused, not read
    new = everything(tmp_path) - before
    assert all(out in path.parents for path in new), new


def test_a_link_that_leads_out_is_only_read(tmp_path):
    other = layouts.picture(tmp_path / "elsewhere" / "1_1.png", SIZE, 70)
    before = other.read_bytes()
    root = people(tmp_path / "data", ("1_1.png", "1_2.png"))
    (root / "images" / "1_1.png").unlink()
    (root / "images" / "1_1.png").symlink_to(other)
    out = tmp_path / "out.png"
    out.symlink_to(other.with_name("kept.png"))
    other.with_name("kept.png").write_bytes(b"kept")
    assert main(["data", "check", "folder", str(root), "--out", str(out)]) == 0
    assert other.read_bytes() == before
    assert other.with_name("kept.png").read_bytes() == b"kept"  # the link is replaced, not what it leads to
    assert np.asarray(Image.open(out)).shape[0] > 100
