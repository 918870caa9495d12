"""A disk that is full, and folders that must not be written: one sentence, and nothing half-written."""

import argparse
import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from pgt.__main__ import main
from pgt.applications.animation import write_video
from pgt.applications.pose_sequences import PoseSequence
from pgt.checkpoint import CheckpointError, save
from pgt.commands import common
from pgt.data import pairs
from pgt.files import replace_bytes
from pgt.results import EvaluationResult
from pgt.training.run_folder import RunFolder
from tests.data import layouts

FULL = "No space left on device"


class _FullFile(io.FileIO):
    """A file of which the disk takes a few bytes."""

    def write(self, content) -> int:
        if self.tell() + memoryview(content).nbytes > 64:
            raise OSError(errno.ENOSPC, FULL)
        return super().write(content)


@pytest.fixture
def full_disk(monkeypatch):
    """Let no file below a folder grow beyond 64 bytes, once it is told to."""

    def fill(folder: Path) -> None:
        opened = io.open

        def limited(file, mode="r", *arguments, **settings):
            here = isinstance(file, str | os.PathLike) and str(folder) in str(file)
            if not here or not set(mode) & set("wax+"):
                return opened(file, mode, *arguments, **settings)
            raw = _FullFile(file, mode.replace("b", "").replace("t", ""))
            return raw if "b" in mode else io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8")

        for owner in (io, __import__("builtins")):
            monkeypatch.setattr(owner, "open", limited)

    return fill


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


LONG = PoseSequence.from_motion("walk", 4, image_size=(32, 32))
WRITERS = {
    "results": lambda path: EvaluationResult({"a" * 100: {"ssim": 0.5}}, {}, {}).save(path / "old.json"),
    "picture": lambda path: common.write_picture(str(path / "old.png"), np.random.default_rng(0).integers(
        0, 256, (40, 40, 3), dtype=np.uint8)),
    "film": lambda path: write_video(path / "old.gif", [np.zeros((32, 32, 3), np.uint8)] * 9, 10),
    "poses": lambda path: LONG.write(path / "old.json"),
    "any file": lambda path: replace_bytes(path / "old.json", b"a" * 100),
    "state": lambda path: RunFolder(path).save_state({"weights": torch.zeros(1000)}),
}  # fmt: skip


@pytest.mark.parametrize("what", WRITERS)
def test_a_full_disk_is_named_with_the_file_and_leaves_what_was_there(what, tmp_path, full_disk):
    for name in ("old.json", "old.png", "old.gif"):
        (tmp_path / name).write_bytes(b"as before")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "state.pt").write_bytes(b"as before")
    before = listing(tmp_path)
    full_disk(tmp_path)
    with pytest.raises(OSError, match=FULL) as caught:
        WRITERS[what](tmp_path)
    assert Path(caught.value.filename).name in {"old.json", "old.png", "old.gif", "state.pt"}
    assert listing(tmp_path) == before


def test_a_checkpoint_on_a_full_disk_is_refused_whole(tmp_path, monkeypatch, tiny_generator):
    save(tiny_generator, tmp_path / "net")
    before = listing(tmp_path)

    def full(*arguments, **settings):
        from safetensors import SafetensorError

        raise SafetensorError(f"Error while serializing: I/O error: {FULL} (os error 28)")

    monkeypatch.setattr(type(tiny_generator), "save_pretrained", full)
    with pytest.raises(CheckpointError, match=rf"net cannot be written \(.*{FULL}") as caught:
        save(tiny_generator, tmp_path / "net")
    assert "\n" not in str(caught.value)
    assert listing(tmp_path) == before


def test_the_command_line_says_it_in_one_sentence(tmp_path, full_disk, capsys):
    root, out = layouts.market1501(tmp_path / "market"), tmp_path / "out"
    full_disk(out)
    assert main(["data", "check", "market1501", str(root), "--out", str(out / "sheet.png")]) == 2
    assert capsys.readouterr().err == f"pgt: {out / 'sheet.png'}: {FULL}.\n"
    assert listing(out) == {}


def cache(folder: Path) -> pairs.CachedPeople:
    arguments = argparse.Namespace(scene="plain", identities=1, poses=2, cache=str(folder))
    return common.cached_people(arguments, "train", (16, 16))


def test_a_cache_on_a_full_disk_fails_at_once_and_goes_on_later(tmp_path, full_disk, monkeypatch):
    people = cache(tmp_path)
    with monkeypatch.context():
        full_disk(tmp_path)
        with pytest.raises(OSError, match=FULL) as caught:
            people.fill(progress=False)
    assert caught.value.filename.endswith("shard_00000.npy")
    assert [Path(path).name for path in listing(tmp_path)] == ["index.json"]  # no lock, no part
    monkeypatch.undo()
    people.fill(progress=False)
    assert people.person(0, 1).image.shape == (16, 16, 3)


def test_a_lock_without_its_owner_does_not_hold_up_a_cache(tmp_path, monkeypatch):
    people = cache(tmp_path)

    def full(descriptor: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, FULL)

    with monkeypatch.context() as patch:
        patch.setattr(pairs.os, "write", full)
        with pytest.raises(OSError, match=FULL) as caught:
            people.fill(progress=False)
    assert caught.value.filename.endswith(".lock")
    empty = people.folder / "shard_00000.lock"
    assert not empty.exists()
    empty.write_bytes(b"")  # killed before it said who it is
    os.utime(empty, (0, pairs.time.time() - 2 * pairs.WRITING_SECONDS))
    people.fill(progress=False)
    assert not empty.exists()


def test_a_cache_folder_that_cannot_be_made_is_one_sentence(tmp_path, capsys):
    (tmp_path / "file").write_bytes(b"")  # root may write everywhere but behind a file
    place = tmp_path / "file" / "cache"
    assert main(["cache", "--cache", str(place), "--identities", "1", "--poses", "2"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"pgt: {tmp_path / 'file'}")
    assert "Not a directory" in told
    assert len(told.splitlines()) == 1


def test_a_full_cache_is_read_where_nothing_may_be_written(tmp_path, monkeypatch):
    cache(tmp_path).fill(progress=False)

    def refuse(path, *arguments, **settings):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(pairs, "replace_bytes", refuse)
    monkeypatch.setattr(pairs.os, "open", refuse)
    people = cache(tmp_path)
    people.fill(progress=False)
    assert people.person(0, 0).image.shape == (16, 16, 3)
    with pytest.raises(OSError, match="Read-only file system"):
        cache(tmp_path / "other")


def test_a_damaged_run_folder_is_one_sentence(tmp_path):
    folder = RunFolder(tmp_path)
    folder.claim({"a": 1})
    folder.save_state({"step": 1})
    (tmp_path / "state" / "state.pt").write_bytes(b"PK\x03\x04 half")
    with pytest.raises(ValueError, match=r"state\.pt is damaged .*remove the run folder") as caught:
        folder.load_state()
    assert "\n" not in str(caught.value)
    (tmp_path / "config.json").write_bytes(b'{"a": ')
    with pytest.raises(ValueError, match=r"config\.json is not readable JSON"):
        folder.claim({"a": 1})
