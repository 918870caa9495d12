"""SPT's pseudo-label search against a slow literal one, and the facts that Eq. 1 promises."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import literal_search
from pgt.__main__ import main
from pgt.data import pseudo_label_index
from pgt.data.body_parts import part_corners, part_masks
from pgt.data.part_descriptors import OUTSIDE, LabelledPeople, compare_codes, describe, pack
from pgt.data.part_distance import part_distances
from pgt.data.person import Person
from pgt.data.pose import TORSO_JOINTS, Pose
from pgt.data.pseudo_label_index import PseudoLabels, write_index
from pgt.data.pseudo_labels import (
    NOBODY,
    PseudoLabelSearch,
    SearchOptions,
    draw_candidates,
    pose_differences,
)
from pgt.data.readers.keypoint_csv import write_keypoint_csv
from pgt.synthetic.people import SyntheticPeople
from tests.data.conftest import take_real_poses

SIZES = ((64, 64), (128, 64))
POSES = 3
ANYBODY = SearchOptions(num_candidates=None, min_pose_difference=0, min_parts=1, min_shared=0)


@pytest.fixture(scope="module", params=SIZES, ids=str)
def crowd(request) -> LabelledPeople:
    """120 synthetic people, three pictures of each identity."""
    people = SyntheticPeople("train", request.param, "mixed")
    shown = people.render([divmod(number, POSES) for number in range(120)])
    return LabelledPeople.from_people(shown, np.arange(120) // POSES)


def taken(people: LabelledPeople, chosen: np.ndarray | list[int], **changed: object) -> LabelledPeople:
    """Return some of the people, in this order."""
    fields = ("keypoints", "visible", "label_maps", "identities")
    values = {name: getattr(people, name) for name in fields}
    return LabelledPeople(**{k: v if v is None else v[chosen] for k, v in values.items()} | changed)


def full_bodies(people: LabelledPeople) -> np.ndarray:
    return np.flatnonzero(describe(people).valid.all(axis=1))


def equation_1(people: LabelledPeople, source: int, target: int, *, fast: bool = False) -> float:
    """Return the distance of a pair, with nothing excluded."""
    options = replace(ANYBODY, method="fast" if fast else "exact")
    pair = taken(people, [source, target])
    return float(PseudoLabelSearch(pair, options).find([0]).distance[0])


# --- the distance ---


def test_distances_and_winners_equal_the_literal_loop(crowd):
    crowd = taken(crowd, crowd.visible[:, TORSO_JOINTS].all(axis=1))
    people = [
        literal_search.Someone(*each)
        for each in zip(crowd.keypoints, crowd.visible, crowd.label_maps, strict=True)
    ]
    search = PseudoLabelSearch(crowd, SearchOptions(num_candidates=30))
    queries = np.arange(0, len(crowd), 4)
    matches = search.find(queries)
    for i, query in enumerate(queries.tolist()):
        candidates = draw_candidates(query, len(crowd), 30, 0).tolist()
        winner, distance = literal_search.best(people, query, candidates)
        assert matches.target[i] == winner
        if winner != NOBODY:
            # A pixel whose centre lies on a part's edge may be counted or not.
            assert matches.distance[i] == pytest.approx(distance, abs=0.03)


def test_the_patient_loop_is_the_equation(crowd):
    source, target = (
        literal_search.Someone(crowd.keypoints[i], crowd.visible[i], crowd.label_maps[i])
        for i in full_bodies(crowd)[:2]
    )
    loop = literal_search.PatientLoop(source)
    patient = loop.distance(target, literal_search.valid_parts(target))
    assert patient == pytest.approx(literal_search.distance(source, target))


@pytest.mark.parametrize("fast", [True, False])
def test_a_person_is_at_distance_0_from_itself(crowd, fast):
    for person in range(0, 30, 3):
        assert equation_1(crowd, person, person, fast=fast) == 0


def test_moving_or_enlarging_a_candidate_hardly_matters(crowd):
    source, target = full_bodies(crowd)[[0, -1]]
    height, width = crowd.image_size
    enlarged = np.zeros((2, 2 * height + 10, 2 * width + 6), np.uint8)
    enlarged[1, 7 : 7 + 2 * height, 4 : 4 + 2 * width] = crowd.label_maps[target].repeat(2, 0).repeat(2, 1)
    enlarged[0, :height, :width] = crowd.label_maps[source]
    keypoints = np.stack([crowd.keypoints[source], 2 * crowd.keypoints[target] + 0.5 + [4, 7]])
    both = LabelledPeople(keypoints, crowd.visible[[source, target]], enlarged)
    before = equation_1(crowd, source, target)
    assert before > 0.1
    assert equation_1(both, 0, 1) == pytest.approx(before, rel=0.03)


def test_a_squared_distance_is_2_for_another_label_and_1_for_none():
    keypoints, visible = np.zeros((2, 18, 2), np.float32), np.zeros((2, 18), bool)
    for person, right in enumerate((10, 30)):  # a torso of 5 x 9 pixels; the second one half outside
        keypoints[person, [8, 11, 5, 2]] = [(right, 18), (right + 4, 18), (right + 4, 10), (right, 10)]
    visible[:, list(TORSO_JOINTS)] = True
    maps = np.full((2, 32, 33), 3, np.uint8)
    maps[1, :, 31] = 5
    people = LabelledPeople(keypoints, visible, maps)
    sums = part_distances(people, describe(people), np.array([0]), np.array([[1]]))
    assert sums[0, 0, 0] == 9 * (0 + 2 + 0 + 1 + 1)
    assert describe(people).area[:, 0].tolist() == [45, 27]


def test_a_part_that_only_one_has_does_not_count(crowd):
    source, target = full_bodies(crowd)[:2]
    pair = taken(crowd, [source, target])
    search = PseudoLabelSearch(pair, ANYBODY)
    sums = part_distances(pair, search.descriptors, np.array([0]), np.array([[1]]))[0, 0]
    shares = sums / search.descriptors.area[0]
    assert search.find([0]).distance[0] == pytest.approx(shares.mean())
    for hidden in (0, 1):
        visible = pair.visible.copy()
        visible[hidden, 10] = False  # the right ankle, and with it the right calf
        found = PseudoLabelSearch(taken(pair, [0, 1], visible=visible), ANYBODY).find([0])
        assert found.num_parts.tolist() == [9]
        assert found.distance[0] == pytest.approx(np.delete(shares, 4).mean())


def test_slides_variant_adds_up_the_candidates_pixels(crowd):
    source, target = full_bodies(crowd)[:2]
    pair = taken(crowd, [source, target])
    sums = part_distances(pair, describe(pair), np.array([1]), np.array([[0]]))
    found = PseudoLabelSearch(pair, replace(ANYBODY, variant="slides")).find([0])
    assert found.distance[0] == sums.sum()
    on_grid = PseudoLabelSearch(pair, replace(ANYBODY, variant="slides", method="fast")).find([0])
    assert on_grid.distance[0] == pytest.approx(sums.sum(), rel=0.2)


def test_places_are_compared_bit_by_bit():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, (3, 10, 128))
    labels[rng.random(labels.shape) < 0.2] = OUTSIDE
    codes = pack(labels.astype(np.uint8))
    for over_source in (True, False):
        counts = (
            compare_codes(codes[0], codes[1:].copy(), over_source=over_source).reshape(2, 2, 10).sum(axis=1)
        )
        for i, other in enumerate(labels[1:]):
            base, compared = (labels[0], other) if over_source else (other, labels[0])
            cost = np.where(compared == OUTSIDE, 1, 2) * (base != compared) * (base != OUTSIDE)
            assert counts[i].tolist() == cost.sum(axis=1).tolist()


def test_the_grid_ranks_like_the_pixels(crowd):
    options = SearchOptions(num_candidates=60)
    exact = PseudoLabelSearch(crowd, options).find(range(len(crowd)))
    fast = PseudoLabelSearch(crowd, replace(options, method="fast")).find(range(len(crowd)))
    whole = PseudoLabelSearch(crowd, replace(options, shortlist=60)).find(range(len(crowd)))
    assert (fast.target == exact.target).mean() > 0.75
    assert (exact.target == whole.target).mean() >= 0.99


# --- who may be found ---


@pytest.mark.parametrize("method", ["fast", "exact"])
def test_never_itself_never_too_alike_and_never_the_same_person_if_so_wished(crowd, method):
    options = SearchOptions(num_candidates=None, method=method, exclude_same_identity=True)
    search = PseudoLabelSearch(crowd, options)
    matches = search.find(range(len(crowd)))
    queries = np.flatnonzero(matches.target != NOBODY)
    targets = matches.target[queries]
    assert len(queries) > 60
    assert (targets != queries).all()
    assert (crowd.identities[targets] != crowd.identities[queries]).all()
    joints, visible = search.descriptors.joints, crowd.visible
    for query, target in zip(queries, targets, strict=True):
        (apart,) = pose_differences(joints[query], visible[query], joints[[target]], visible[[target]])
        assert apart >= options.min_pose_difference
    with pytest.raises(ValueError, match="needs identities"):
        PseudoLabelSearch(taken(crowd, [0, 1], identities=None), options)


def test_pose_difference_ignores_place_and_size_and_sees_a_raised_arm(crowd):
    person = full_bodies(crowd)[0]
    keypoints = crowd.keypoints[[person] * 3]
    keypoints[1] = keypoints[1] * 1.5 + 7
    keypoints[2, [3, 4], 1] -= 30
    three = taken(crowd, [person] * 3, keypoints=keypoints)
    joints, visible = describe(three).joints, three.visible
    apart = pose_differences(joints[0], visible[0], joints, visible)
    assert apart[:2] == pytest.approx(0, abs=1e-5)
    assert apart[2] > 0.1
    someone = [
        literal_search.Someone(*each) for each in zip(keypoints, visible, three.label_maps, strict=True)
    ]
    assert apart[2] == pytest.approx(literal_search.pose_difference(someone[0], someone[2]), rel=1e-4)
    assert pose_differences(joints[0], visible[0] & False, joints, visible).tolist() == [0, 0, 0]


def test_somebody_with_legs_does_not_find_an_upper_body(crowd):
    search = PseudoLabelSearch(crowd, SearchOptions(num_candidates=None))
    matches = search.find(range(len(crowd)))
    found = matches.target != NOBODY
    num_parts = search.descriptors.valid.sum(axis=1)
    larger = np.maximum(num_parts[found], num_parts[matches.target[found]])
    assert (matches.num_parts[found] >= 0.8 * larger).all()


def test_of_equals_the_first_is_taken(crowd):
    source, target = full_bodies(crowd)[:2]
    copies = taken(crowd, [source, *[target] * 40])
    for method in ("fast", "exact"):
        assert PseudoLabelSearch(copies, replace(ANYBODY, method=method)).find([0]).target.tolist() == [1]


def test_candidates_are_drawn_again_the_same(crowd):
    draws = [draw_candidates(query, 1000, 50, seed=3) for query in range(1000)]
    for query in (0, 500, 999):
        assert len(np.unique(draws[query])) == 50
        assert query not in draws[query]
        assert draws[query].tolist() == draw_candidates(query, 1000, 50, seed=3).tolist()
    assert draws[0].tolist() != draw_candidates(0, 1000, 50, seed=4).tolist()
    counts = np.bincount(np.concatenate(draws), minlength=1000)
    assert counts.mean() == 50
    assert 15 < counts.min() <= counts.max() < 100  # nobody is preferred
    assert draw_candidates(1, 4, None, 0).tolist() == draw_candidates(1, 4, 9, 0).tolist() == [0, 2, 3]


def test_the_answer_to_one_query_depends_on_nothing_else(crowd):
    search = PseudoLabelSearch(crowd, SearchOptions(num_candidates=20), threads=1)
    together = search.find(range(90))
    again = PseudoLabelSearch(crowd, SearchOptions(num_candidates=20), threads=3).find([70, 5])
    for several, one in zip(together, again, strict=True):
        assert several[[70, 5]].tolist() == pytest.approx(one.tolist(), nan_ok=True)


# --- missing joints and bad input ---


@pytest.mark.parametrize("variant", ["paper", "slides"])
@pytest.mark.parametrize("method", ["fast", "exact"])
def test_missing_joints_always_have_an_answer(crowd, method, variant):
    visible = crowd.visible.copy()
    visible[0] = False
    visible[1, [8, 11]] = False  # hips
    visible[2, [2, 5]] = False  # shoulders
    visible[3, list(TORSO_JOINTS)] = False
    keypoints = crowd.keypoints.copy()
    keypoints[0] = np.nan
    keypoints[4] = keypoints[4, 0]  # all joints in one place
    maps = crowd.label_maps.copy()
    maps[5] = 0  # nobody in the map
    people = taken(crowd, np.arange(len(crowd)), keypoints=keypoints, visible=visible, label_maps=maps)
    options = SearchOptions(num_candidates=None, method=method, variant=variant, min_shared=0)
    matches = PseudoLabelSearch(people, options).find(range(len(crowd)))
    for nobody in (0, 5):
        assert matches.target[nobody] == NOBODY
        assert np.isnan(matches.distance[nobody])
        assert matches.num_parts[nobody] == 0
        assert nobody not in matches.target
    assert np.isfinite(matches.distance[matches.target != NOBODY]).all()
    assert (matches.target[[1, 2]] != NOBODY).all()


def test_one_person_alone_finds_nobody(crowd):
    for variant in ("paper", "slides"):
        alone = PseudoLabelSearch(taken(crowd, [0]), SearchOptions(variant=variant))
        assert alone.find([0]).target.tolist() == [NOBODY]
    assert PseudoLabelSearch(crowd).find([]).target.tolist() == []
    with pytest.raises(IndexError, match="numbered 0 to 119"):
        PseudoLabelSearch(crowd).find([120])


def person(label_map: np.ndarray | None, size: tuple[int, int] = (8, 6)) -> Person:
    pose = Pose(np.zeros((18, 2)), np.ones(18, bool), size)
    return Person(np.zeros((*size, 3), np.uint8), pose, label_map, name="eve")


@pytest.mark.parametrize(
    ("people", "sentence"),
    [
        (list, "list of people is empty"),
        (lambda: [person(None)], "'eve' has no label map"),
        (
            lambda: [person(np.ones((8, 6), np.uint8)), person(np.ones((6, 8), np.uint8), (6, 8))],
            "'eve' is 6x8 but 8x6 is the first person's size",
        ),
    ],
)
def test_bad_people_get_one_sentence(people, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        LabelledPeople.from_people(people())
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"label_maps": np.zeros((2, 8, 6))}, "uint8 .* not float64"),
        ({"label_maps": np.full((2, 8, 6), 10, np.uint8)}, "Person number 0 has label 10"),
        ({"keypoints": np.zeros((3, 18, 2))}, "keypoints \\(2, 18, 2\\)"),
        ({"keypoints": np.full((2, 18, 2), np.nan)}, "no pixel position"),
        ({"visible": np.ones((2, 18))}, "must be bool"),
        ({"identities": np.zeros(3)}, "as many identities"),
        ({"names": ("a",)}, "as many names"),
    ],
)
def test_bad_arrays_get_one_sentence(changed, sentence):
    good = {
        "keypoints": np.zeros((2, 18, 2)),
        "visible": np.ones((2, 18), bool),
        "label_maps": np.zeros((2, 8, 6), np.uint8),
    }
    LabelledPeople(**good)
    with pytest.raises(ValueError, match=sentence):
        LabelledPeople(**good | changed)


@pytest.mark.parametrize(
    "wrong",
    [{"method": "slow"}, {"variant": "poster"}, {"num_candidates": 0}, {"min_parts": 11}, {"min_shared": 2}],
)
def test_bad_options_get_one_sentence(wrong):
    with pytest.raises(ValueError, match=r"^A .*\.$"):
        SearchOptions(**wrong)


# --- real poses ---


def test_parts_of_real_poses_lie_on_each_other(real_file):
    """Each part is given a label of its own: after the alignment, real people must agree about them."""
    path, size = real_file
    keypoints, visible = take_real_poses(path)
    masks = part_masks(*part_corners(keypoints, visible), size)
    maps = torch.where(masks.any(dim=1), masks.argmax(dim=1), 9).to(torch.uint8).numpy()
    people = LabelledPeople(keypoints.numpy(), visible.numpy(), maps)
    for method in ("fast", "exact"):
        matches = PseudoLabelSearch(people, replace(ANYBODY, method=method)).find(range(len(people)))
        assert (matches.target != NOBODY).all()
        assert np.median(matches.distance) < 0.8  # 2 would be chance; parts overlap in other poses
    with_itself = [equation_1(people, i, i) for i in range(len(people))]
    assert max(with_itself) == 0


# --- the index and the command ---


class Killed(Exception):
    """Stands for a kill."""


@pytest.fixture
def search(crowd, monkeypatch) -> PseudoLabelSearch:
    monkeypatch.setattr(pseudo_label_index, "_BLOCK", 16)
    return PseudoLabelSearch(crowd, SearchOptions(num_candidates=20))


def test_a_killed_search_continues_to_the_same_index(search, tmp_path, monkeypatch):
    whole = write_index(tmp_path / "whole.jsonl", search)
    find, calls = search.find, []

    def find_until_killed(queries):
        calls.append(len(queries))
        if len(calls) == 4:
            raise Killed
        return find(queries)

    monkeypatch.setattr(search, "find", find_until_killed)
    with pytest.raises(Killed):
        write_index(tmp_path / "killed.jsonl", search)
    assert not (tmp_path / "killed.jsonl").exists()
    partial = tmp_path / "killed.jsonl.partial"
    partial.write_text(partial.read_text() + '{"source": 48, "tar')  # cut in the middle of a line
    write_index(tmp_path / "killed.jsonl", search)
    assert sum(calls) == 16 + 120  # three blocks were not done again
    assert (tmp_path / "killed.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not partial.exists()

    again = write_index(tmp_path / "killed.jsonl", search)
    assert again.target.tolist() == whole.target.tolist() == find(range(120)).target.tolist()
    source, target = again.pairs.T
    assert len(again) == len(source) > 60
    assert (again.target[source] == target).all()


def test_an_index_of_another_search_is_refused(search, crowd, tmp_path):
    write_index(tmp_path / "index.jsonl", search)
    other = PseudoLabelSearch(crowd, replace(search.options, seed=1))
    with pytest.raises(ValueError, match="seed was 0, now 1"):
        write_index(tmp_path / "index.jsonl", other)
    changed = taken(crowd, np.arange(120)[::-1])
    with pytest.raises(ValueError, match="the people are others"):
        write_index(tmp_path / "index.jsonl", PseudoLabelSearch(changed, search.options))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda lines: lines[:-1], "119 of its 120"),
        (lambda lines: [*lines[:5], "{", *lines[6:]], "line 6: not a JSON object"),
        (lambda lines: [lines[0], *lines[2:], lines[1]], "line 2: not the pseudo-label of person 0"),
        (lambda lines: [*lines[:3], '{"source": 2, "distance": 0.5, "parts": 9}', *lines[4:]], "line 4: not"),
        (lambda lines: ["{}"], "no index"),
    ],
)
def test_a_damaged_index_is_refused(search, tmp_path, change, sentence):
    path = tmp_path / "index.jsonl"
    write_index(path, search)
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    with pytest.raises(ValueError, match=sentence):
        PseudoLabels.read(path)


def command(folder, *more: str) -> list[str]:
    return ["pseudo-labels", "--out", str(folder / "found"), "--candidates", "20", *more]


def test_the_command_searches_synthetic_people(tmp_path, capsys):
    synthetic = ["--size", "64x32", "--identities", "8", "--poses", "3", "--cache", str(tmp_path / "cache")]
    assert main(command(tmp_path, *synthetic)) == 0
    index = tmp_path / "found" / "index.jsonl"
    assert "of 24 people have a pseudo-label" in capsys.readouterr().out
    labels = PseudoLabels.read(index)
    assert labels.facts["identities"] == 8
    assert labels.facts["options"]["num_candidates"] == 20
    assert (tmp_path / "found" / "contact_sheet.png").exists()
    before = index.read_bytes()
    assert main(command(tmp_path, *synthetic)) == 0  # nothing is left to do
    assert index.read_bytes() == before
    assert main(command(tmp_path, *synthetic, "--seed", "2")) == 2
    assert "seed was 0, now 2" in capsys.readouterr().err


@pytest.fixture
def folder(tmp_path):
    """Six pictures of three people, with joints and label maps."""
    joints = {}
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "parsing").mkdir()
    shown = SyntheticPeople("train", (64, 64), "plain").render([(i, k) for i in range(3) for k in range(2)])
    for number, one in enumerate(shown):
        name = f"{number // 2}_{number % 2}"
        Image.fromarray(one.image).save(tmp_path / "data" / "images" / f"{name}.png")
        Image.fromarray(one.label_map).save(tmp_path / "data" / "parsing" / f"{name}.png")
        joints[f"{name}.png"] = (one.keypoints, one.visible)
    write_keypoint_csv(tmp_path / "data" / "keypoints.csv", joints)
    return tmp_path


def test_the_command_searches_a_folder(folder, capsys):
    words = ["--data", str(folder / "data"), "--candidates", "all", "--method", "fast"]
    assert main(command(folder, *words, "--exclude-same-identity")) == 0
    labels = PseudoLabels.read(folder / "found" / "index.jsonl")
    assert len(labels.target) == 6
    assert all(source // 2 != target // 2 for source, target in labels.pairs)
    lines = (folder / "found" / "index.jsonl").read_text().splitlines()
    assert json.loads(lines[1])["names"][0] == "0_0.png"

    (folder / "data" / "parsing" / "1_0.png").unlink()
    assert main(command(folder, *words, "--out", str(folder / "more"))) == 2
    assert "'1_0.png' has no label map" in capsys.readouterr().err.splitlines()[-1]
