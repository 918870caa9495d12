"""The cache of people: what it stores, and what can go wrong with it."""

import multiprocessing
import os
import pickle
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from pgt.data.pairs import CachedPeople
from pgt.data.person import Person
from pgt.data.pose import Pose

SIZE = (16, 8)


def render(numbers) -> list[Person]:
    people = []
    for identity, index in numbers:
        rng = np.random.default_rng((identity, index))
        image = rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        pose = Pose(rng.uniform(0, 8, (18, 2)), rng.random(18) < 0.8, SIZE)
        labels, mask = rng.integers(0, 10, SIZE, dtype=np.uint8), rng.random(SIZE) < 0.5
        people.append(Person(image, pose, labels, mask if index else None, background=image[::-1]))
    return people


def slow_render(numbers) -> list[Person]:
    time.sleep(0.02 * len(numbers))
    return render(numbers)


def make_cache(folder: Path, render=render, **changes) -> CachedPeople:
    settings = {
        "num_identities": 5,
        "poses_per_identity": 3,
        "image_size": SIZE,
        "people_per_shard": 4,
    } | changes
    return CachedPeople(folder, render, {"seed": 1}, **settings)


def assert_same(person: Person, expected: Person) -> None:
    for name in ("image", "keypoints", "visible", "label_map"):
        assert (getattr(person, name) == getattr(expected, name)).all(), name
    if expected.person_mask is None:
        assert person.person_mask is None
    else:
        assert person.person_mask.dtype == bool
        assert (person.person_mask == expected.person_mask).all()


def refuse(numbers) -> list[Person]:
    raise AssertionError("everything should be on disk")


def test_people_come_back_exactly_and_are_rendered_once(tmp_path):
    make_cache(tmp_path).fill(progress=False)
    cache = make_cache(tmp_path, refuse)
    for identity in range(5):
        for index in range(3):
            assert_same(cache.person(identity, index), render([(identity, index)])[0])
    assert cache.person(0, 0).background is None
    assert len(list(cache.folder.iterdir())) == 1 + 4  # index and shards, nothing left over


def test_all_ordered_pairs_of_an_identity(tmp_path):
    cache = make_cache(tmp_path)
    assert len(cache) == 5 * 3 * 2
    pairs = [cache[i] for i in range(len(cache))]
    assert len({pair.name for pair in pairs}) == len(pairs)
    for pair in pairs:
        (identity, source), (same, target) = (p.name.split("_") for p in (pair.source, pair.target))
        assert identity == same
        assert source != target
    assert cache[-1].name == pairs[-1].name
    with pytest.raises(IndexError, match="Pair 30"):
        cache[30]
    with pytest.raises(IndexError, match="identity 5"):
        cache.person(5, 0)


def test_missing_people_are_rendered_when_asked_for(tmp_path):
    cache = make_cache(tmp_path)
    assert_same(cache.person(4, 2), render([(4, 2)])[0])
    assert [path.name for path in cache.folder.glob("*.npy")] == ["shard_00003.npy"]


def test_other_parameters_are_another_cache(tmp_path):
    folders = {make_cache(tmp_path).folder, make_cache(tmp_path, image_size=(8, 8)).folder}
    folders.add(make_cache(tmp_path, keep=()).folder)
    folders.add(make_cache(tmp_path, num_identities=6).folder)
    assert len(folders) == 4
    assert make_cache(tmp_path).folder in folders
    assert make_cache(tmp_path, keep=("background",)).person(0, 1).label_map is None
    assert make_cache(tmp_path, keep=("background",)).person(0, 1).background is not None
    assert make_cache(tmp_path, image_size=(8, 8)).person(0, 1).image.shape == (8, 8, 3)


@pytest.mark.parametrize("damage", ["truncated", "flipped bit", "empty", "wrong end"])
def test_damaged_shards_are_rebuilt(tmp_path, damage):
    make_cache(tmp_path).fill(progress=False)
    path = make_cache(tmp_path).folder / "shard_00001.npy"
    content = bytearray(path.read_bytes())
    if damage == "flipped bit":
        content[len(content) // 2] ^= 1
    elif damage == "wrong end":
        content[-1] ^= 0xFF
    else:
        del content[len(content) // 2 if damage == "truncated" else 0 :]
    path.write_bytes(content)
    assert_same(make_cache(tmp_path).person(1, 2), render([(1, 2)])[0])
    assert_same(make_cache(tmp_path, refuse).person(1, 2), render([(1, 2)])[0])


def fill_in_process(folder: str) -> None:
    make_cache(Path(folder), slow_render, num_identities=20).fill(progress=False)


@pytest.fixture
def processes():
    return multiprocessing.get_context("fork")


def test_several_processes_fill_one_cache(tmp_path, processes):
    workers = [processes.Process(target=fill_in_process, args=(str(tmp_path),)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    cache = make_cache(tmp_path, refuse, num_identities=20)
    for identity in range(20):
        assert_same(cache.person(identity, 1), render([(identity, 1)])[0])
    assert not list(cache.folder.glob("*.lock")) + list(cache.folder.glob("*.tmp"))


def test_a_killed_filling_continues(tmp_path, processes):
    cache = make_cache(tmp_path, num_identities=20)
    worker = processes.Process(target=fill_in_process, args=(str(tmp_path),))
    worker.start()
    while not list(cache.folder.glob("shard_*.npy")) or not list(cache.folder.glob("*.lock")):
        time.sleep(0.001)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    done = len(list(cache.folder.glob("*.npy")))
    assert 0 < done < cache.num_shards
    cache.fill(progress=False)  # takes over the lock of the dead process
    assert len(list(cache.folder.glob("*.npy"))) == cache.num_shards
    assert_same(make_cache(tmp_path, refuse, num_identities=20).person(19, 2), render([(19, 2)])[0])


def test_a_failing_renderer_leaves_no_lock(tmp_path):
    cache = make_cache(tmp_path, refuse)
    with pytest.raises(AssertionError, match="on disk"):
        cache.fill(progress=False)
    assert [path.name for path in cache.folder.iterdir()] == ["index.json"]


def test_old_locks_and_leftovers_are_cleared(tmp_path):
    cache = make_cache(tmp_path)
    for name in ("shard_00000.lock", "shard_00000.npy.1234.tmp"):
        (cache.folder / name).write_text("elsewhere 1")
        os.utime(cache.folder / name, (1, 1))
    cache.fill(progress=False)
    assert not list(cache.folder.glob("*.lock")) + list(cache.folder.glob("*.tmp"))


def test_cache_travels_to_other_processes_without_its_open_files(tmp_path):
    cache = make_cache(tmp_path)
    cache.fill(progress=False)
    expected = cache.person(2, 1)
    content = pickle.dumps(cache)
    assert len(content) < 2000
    assert_same(pickle.loads(content).person(2, 1), expected)


def test_cache_refuses(tmp_path):
    with pytest.raises(ValueError, match="at least one"):
        make_cache(tmp_path, num_identities=0)
    with pytest.raises(ValueError, match="can keep"):
        make_cache(tmp_path, keep=("hair",))
    with pytest.raises(ValueError, match="JSON"):
        CachedPeople(tmp_path, render, {"f": render}, num_identities=1, poses_per_identity=1, image_size=SIZE)
    cache = make_cache(tmp_path)
    (cache.folder / "index.json").write_text("{}")
    with pytest.raises(ValueError, match="does not belong"):
        make_cache(tmp_path)
