"""Label maps that are none, and maps of unusual types: one sentence with file and cause, on every road."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pgt.__main__ import main
from pgt.checkpoint import save
from pgt.data.parsing import COLORS
from pgt.data.person import Person
from pgt.data.pose import Pose
from pgt.data.readers.folder import PeopleFolder, read_label_map
from pgt.data.readers.keypoint_csv import write_keypoint_csv
from pgt.models.spt import SPTGenerator
from pgt.photos import frame_person, person_from_photo
from pgt.predictor import Predictor, fit_person
from pgt.synthetic.people import SyntheticPeople
from tests.models.tiny_spt import TINY_SPT

SIZE = (64, 48)
BAD = "1_0"  # the picture whose map each case replaces
Labels = np.ndarray


@pytest.fixture(scope="module")
def people() -> list[Person]:
    """Two people twice each, none of whom is square."""
    shown = SyntheticPeople("train", SIZE, "plain").render([(i, k) for i in range(2) for k in range(2)])
    return [replace(one, name=f"{i // 2}_{i % 2}.png") for i, one in enumerate(shown)]


@pytest.fixture
def folder(people, tmp_path) -> Path:
    """Pictures, joints and label maps of everyone."""
    root = tmp_path / "data"
    for one in people:
        for kind, pixels in (("images", one.image), ("parsing", one.label_map)):
            (root / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(root / kind / one.name)
    write_keypoint_csv(root / "keypoints.csv", {one.name: (one.keypoints, one.visible) for one in people})
    return root


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """An untrained SPT, saved."""
    torch.manual_seed(0)
    return save(SPTGenerator.from_config(TINY_SPT), tmp_path_factory.mktemp("weights") / "tiny-spt")


def with_label(labels: Labels, value: int) -> Labels:
    changed = labels.astype(np.int64)
    changed[20, 20] = value
    return changed


def png(labels: Labels, path: Path) -> Path:
    Image.fromarray(labels).save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def npy(labels: object, path: Path) -> Path:
    np.save(path.with_suffix(".npy"), labels, allow_pickle=True)
    return path.with_suffix(".npy")


def cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    return path


def archive(labels: Labels, path: Path) -> Path:
    np.savez(path.with_suffix(".npz"), labels)
    return path.with_suffix(".npz").rename(path.with_suffix(".npy"))


def broken_chunk(labels: Labels, path: Path) -> Path:
    """Break the type of the PNG's second chunk, at which PIL raises SyntaxError."""
    content = bytearray(png(labels, path).read_bytes())
    content[37:41] = b"\x00bad"
    path.with_suffix(".png").write_bytes(content)
    return path.with_suffix(".png")


# What to write in place of a map -> what the sentence says of it.
CASES: dict[str, tuple[Callable[[Labels, Path], Path], str]] = {
    "another set's": (lambda m, p: npy(with_label(m, 12), p), "holds label 12, but the labels are 0 to 9"),
    "ignore": (lambda m, p: png(with_label(m, 255).astype(np.uint8), p), "holds label 255"),
    "negative": (lambda m, p: npy(with_label(m, -1).astype(np.int8), p), "holds label -1"),
    "wide": (lambda m, p: npy(with_label(m, 2**40), p), "holds label 1099511627776"),
    "smaller": (lambda m, p: png(m[::2, ::2].copy(), p), "is 32x24 but 64x48 is the size of the picture"),
    "on its side": (lambda m, p: npy(m.T, p), "is 48x64 but 64x48 is the size of the picture"),
    "one-hot": (lambda m, p: npy(np.eye(10, dtype=np.uint8)[m], p), r"has shape \(64, 48, 10\)"),
    "colours": (lambda m, p: png(COLORS[m], p), r"has shape \(64, 48, 3\), but one label number per pixel"),
    "transparent": (lambda m, p: png(np.dstack([COLORS[m], m]), p), r"has shape \(64, 48, 4\)"),
    "a list": (lambda m, p: npy(m.ravel(), p), r"has shape \(3072,\), but one label number"),
    "float": (lambda m, p: npy(m.astype(np.float32), p), "holds float32, not whole numbers"),
    "NaN": (lambda m, p: npy(np.where(m > 0, m, np.nan), p), "holds float64, not whole numbers"),
    "mask": (lambda m, p: npy(m > 0, p), "holds bool, not whole numbers"),
    "bitmap": (lambda m, p: png(m > 0, p), "holds bool, not whole numbers"),
    "nobody": (lambda m, p: png(np.zeros_like(m), p), "is background everywhere: it shows nobody"),
    "cut PNG": (lambda m, p: cut(png(m, p), 0.6), "cannot be read as a label map"),
    "cut array": (lambda m, p: cut(npy(m, p), 0.9), "cannot be read as a label map"),
    "cut header": (lambda m, p: cut(npy(m, p), 0.01), "cannot be read as a label map"),
    "empty PNG": (lambda m, p: cut(png(m, p), 0), "cannot be read as a label map"),
    "empty array": (lambda m, p: cut(npy(m, p), 0), "cannot be read as a label map"),
    "damaged PNG": (broken_chunk, "cannot be read as a label map"),
    "pickle": (lambda m, p: npy(np.array([{}, None], object), p), "cannot be read as a label map"),
    "archive": (archive, "cannot be read as a label map"),
}  # fmt: skip


@pytest.fixture(params=CASES)
def bad(request, folder, people) -> tuple[Path, str]:
    """Replace one map of the folder; give its path and what is to be said of it."""
    write, sentence = CASES[request.param]
    (folder / "parsing" / f"{BAD}.png").unlink()
    return write(people[2].label_map, folder / "parsing" / BAD), sentence


def test_readers_name_file_and_cause(bad, folder):
    path, sentence = bad
    for read in (lambda: read_label_map(path, SIZE), lambda: PeopleFolder(folder).person(f"{BAD}.png")):
        with pytest.raises(ValueError, match=sentence) as caught:
            read()
        assert str(caught.value).startswith(f"{path} ")
        assert len(str(caught.value).splitlines()) == 1
    assert PeopleFolder(folder).person("0_0.png").label_map.any()  # the others are still read


def test_commands_name_file_and_cause(bad, folder, tmp_path, capsys):
    path, sentence = bad
    picture, joints = str(folder / "images" / f"{BAD}.png"), str(folder / "keypoints.csv")
    commands = (
        ["pseudo-labels", "--data", str(folder), "--out", str(tmp_path / "found")],
        ["train", "spt", "--preset", "spt-tiny", "--data", str(folder), "--run-dir", str(tmp_path / "run")],
        ["generate", "--image", picture, "--keypoints", joints, "--parsing", str(path), "--target", "0_1.png",
         "--weights", "part_warp", "--out", str(tmp_path / "out.png")],
    )  # fmt: skip
    for words in commands:
        assert main(words) == 2
        said = capsys.readouterr().err.splitlines()[-1]  # below the bar of the people that were read
        assert said.startswith(f"pgt: {path} ")
        assert re.search(sentence, said)
    assert not list(tmp_path.glob("found/*"))
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda m: with_label(m, 10), "holds label 10, but the labels are 0 to 9"),
        (lambda m: with_label(m, -1), "holds label -1"),
        (lambda m: m.T, "is 48x64 but 64x48 is the size"),
        (lambda m: COLORS[m], r"has shape \(64, 48, 3\), but one label number"),
        (lambda m: np.where(m > 0, m, np.nan), "holds float64, not whole numbers"),
        (lambda m: m > 0, "holds bool, not whole numbers"),
        (lambda m: m.tolist(), "is of type list, not an array"),
    ],
)
def test_the_predictor_names_person_and_cause(people, weights, change, sentence):
    one, other = people[:2]
    with pytest.raises(ValueError, match=f"Person '0_0.png' has a label map that {sentence}"):
        replace(one, label_map=change(one.label_map))
    model = SPTGenerator.from_config(replace(TINY_SPT, image_size=SIZE))
    with pytest.raises(ValueError, match=rf"frame \(64, 48\); the one given {sentence}"):
        Predictor(model).generate(one, other, label_map=change(other.label_map))


def test_the_predictor_refuses_a_source_whose_map_shows_nobody(people, weights, tiny_checkpoint):
    nobody = replace(people[0], label_map=np.zeros(SIZE, np.uint8))
    with pytest.raises(ValueError, match=r"label map of '0_0.png' is background everywhere: it shows nobody"):
        Predictor.load(weights).generate(nobody, people[1])
    Predictor.load(weights).generate(people[0], nobody)  # of the target only the pose counts
    Predictor.load(tiny_checkpoint).generate(nobody, people[1])  # PG2 reads no map


KINDS = {
    "png8": lambda m, p: png(m, p),
    "palette": lambda m, p: Image.fromarray(m).convert("P").save(p.with_suffix(".png")),
    "png16": lambda m, p: png(m.astype(np.uint16), p),
    **{
        kind.__name__: lambda m, p, kind=kind: npy(m.astype(kind), p)
        for kind in (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.int64, np.uint64)
    },
    "big-endian": lambda m, p: npy(m.astype(">i4"), p),
    "columns first": lambda m, p: npy(np.asfortranarray(m.astype(np.int64)), p),
}


@pytest.mark.parametrize("write", KINDS.values(), ids=KINDS)
def test_labels_of_any_integer_type_are_the_same_labels(write, folder, people, weights):
    """The two public samples of SPT's release are of two types."""
    (folder / "parsing" / f"{BAD}.png").unlink()
    write(people[2].label_map, folder / "parsing" / BAD)
    person = PeopleFolder(folder).person(f"{BAD}.png")
    assert person.label_map.dtype == np.uint8
    assert np.array_equal(person.label_map, people[2].label_map)


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int32, np.int64, np.uint64])
def test_a_map_of_another_type_draws_the_same_picture(people, weights, kind):
    predictor = Predictor.load(weights)
    maps = [fit_person(one, TINY_SPT.image_size).label_map for one in people[:2]]
    expected = predictor.generate(people[0], people[1], label_map=maps[1])
    source = replace(people[0], label_map=people[0].label_map.astype(kind))
    drawn = predictor.generate(source, people[1], label_map=maps[1].astype(kind))
    assert np.array_equal(drawn.image, expected.image)
    assert not np.array_equal(drawn.image, predictor.generate(people[0], people[1]).image)


def test_labels_beside_the_pictures_are_found(folder, people):
    """As in the samples of SPT's release; a PNG beside them is a picture."""
    shutil.rmtree(folder / "parsing")
    npy(people[0].label_map, folder / "images" / "0_0")
    Image.fromarray(people[1].image).save(folder / "0_1.png")
    pairs = PeopleFolder(folder)
    assert np.array_equal(pairs.person("0_0.png").label_map, people[0].label_map)
    assert pairs.person("0_1.png").label_map is None


# --- pgt generate --parsing ---


def generate(folder: Path, out: Path, weights: Path, *more: str) -> np.ndarray:
    words = ["--image", folder / "images" / "0_0.png", "--keypoints", folder / "keypoints.csv"]
    words += ["--target", "1_1.png", "--weights", weights, "--out", out, *more]
    assert main(["generate", *map(str, words)]) == 0
    return np.asarray(Image.open(out))


def test_generate_draws_from_the_given_labels(folder, people, weights, tmp_path):
    parsing = folder / "parsing" / "0_0.png"
    drawn = generate(folder, tmp_path / "out.png", weights, "--parsing", str(parsing))
    joints = folder / "keypoints.csv"
    source, target = (person_from_photo(folder / "images" / name, joints) for name in ("0_0.png", "1_1.png"))
    expected = Predictor.load(weights).generate(replace(source, label_map=people[0].label_map), target)
    assert np.array_equal(drawn, expected.image)
    png(np.where(people[0].label_map == 3, 5, people[0].label_map).astype(np.uint8), parsing)
    assert not np.array_equal(drawn, generate(folder, tmp_path / "o.png", weights, "--parsing", str(parsing)))


def test_labels_are_cut_and_shrunk_with_their_photo(people, tmp_path):
    one, around = people[0], ((60, 60), (150, 150))
    photo = np.pad(one.image, (*around, (0, 0)), mode="edge").repeat(6, 0).repeat(6, 1)
    Image.fromarray(photo).save(tmp_path / "wide.jpg")
    labels = npy(np.pad(one.label_map, around).repeat(6, 0).repeat(6, 1), tmp_path / "labels")
    moved = one.keypoints + np.array([150, 60])
    pose = Pose(moved, one.visible, (photo.shape[0] // 6, photo.shape[1] // 6)).resized(photo.shape[:2])
    whole = person_from_photo(tmp_path / "wide.jpg", pose, parsing=labels)
    framed = frame_person(whole, SIZE)
    assert max(whole.image_size) == 1600
    assert framed.image_size[1] < 400
    x, y = one.keypoints[one.visible].round().astype(int).T
    for person in (whole, framed):  # below each joint is still what was there
        assert person.label_map.shape == person.image_size
        at_x, at_y = person.keypoints[one.visible].round().astype(int).T
        assert (person.label_map[at_y, at_x] == one.label_map[y, x]).mean() > 0.8
