"""The demo with all four approaches, no browser needed: side by side, rounds, levels, moved people."""

import sys

import numpy as np
import pytest

from pgt.checkpoint import CheckpointError, save
from pgt.data.pose import Pose
from pgt.models.part_warp import PartWarp
from pgt.predictor import Predictor
from tests.demo_tiny import SIZE, make_full_studio, make_mrnet, make_pg2, make_progressive, one_sentence_of

gr = pytest.importorskip("gradio", reason="the demo needs gradio")

import app  # noqa: E402
import page  # noqa: E402
import steps  # noqa: E402
import weights  # noqa: E402
from callbacks import Turn  # noqa: E402
from handlers import ALL, Handlers  # noqa: E402
from placing import followed, moved_camera  # noqa: E402
from studio import MAX_ROUNDS, NON_ICONIC, Studio  # noqa: E402
from tab_pose import ALL_OF, EXAMPLES  # noqa: E402

NAMES = ["PG2", "SPT", "MR-Net", "Progressive"]


@pytest.fixture(scope="module")
def studio() -> Studio:
    return make_full_studio()


@pytest.fixture(scope="module")
def handlers(studio) -> Handlers:
    return Handlers(studio, "CPU")


def shifted(pose: Pose, by: tuple[float, float], scale: float = 1.0) -> Pose:
    middle = pose.keypoints.mean(axis=0)
    return Pose(middle + scale * (pose.keypoints - middle) + by, pose.visible, pose.image_size)


# One approach, and all of them ------------------------------------------------------------------------------


def test_every_approach_draws(studio):
    subject = studio.synthetic(5)
    assert list(studio.approaches) == NAMES
    pictures = [studio.draw(subject, subject.start, name).image for name in NAMES]
    assert all(picture.shape == (*SIZE, 3) for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == len(NAMES)


def test_all_are_drawn_one_after_the_other(handlers):
    session, *_, result = handlers.render_person(5, "Studio", ALL)
    assert result.count("<figure") == 1  # the first one's; places are kept for the others
    assert result.count("pgt-waiting") == len(NAMES) + 1
    streamed = list(handlers.follow(session))
    grids = [grid for grid, _ in streamed[1:]]
    assert [grid.count("<figure") for grid in grids] == [2, 3, 4, 6]  # the last brings part warp and truth
    assert "pgt-waiting" not in grids[-1]
    for name in (*NAMES, "Part warp", "Truth"):
        assert f"<b>{name}</b>" in grids[-1]
    assert grids[-1].count(" ms</span>") == len(NAMES) + 1
    assert grids[-1].count(weights.NOT_STATED) == len(NAMES)  # these networks are untrained
    scores = streamed[-1][1]
    assert scores.count("<tr>") == 1 + len(NAMES) + 2


def test_the_view_of_all_shows_what_each_one_draws(handlers, studio):
    import view

    session = handlers.render_person(5, "Studio", ALL)[0]
    *_, (grid, _) = handlers.follow(session)
    for name in NAMES:
        picture = studio.draw(session.subject, session.pose, name).image
        assert view.picture_address(picture) in grid


def test_whoever_is_overtaken_draws_no_further(handlers):
    turn = Turn()
    session = handlers.render_person(5, "Studio", ALL, None, turn)[0]
    stream = handlers.follow(session)
    next(stream)
    next(stream)
    again = handlers.release(session, session.pose, ALL, None, turn)[0]
    assert list(stream) == []
    assert len(list(handlers.follow(again))) == 1 + len(NAMES)
    result, compared = next(handlers.follow(session))
    assert result == gr.skip()
    assert compared == ""


def test_a_comparison_that_is_overtaken_is_not_shown(handlers):
    turn = Turn()
    session = handlers.render_person(5, "Studio", "PG2", None, turn)[0]
    handlers.release(session, session.pose, "SPT", None, turn)
    ((result, compared),) = handlers.follow(session)  # one that yields nothing would empty the page
    assert result == compared == gr.skip()


def test_pages_of_two_visitors_do_not_overtake_each_other():
    mine, theirs = Turn(), Turn()
    is_overtaken = mine.next()
    theirs.next()
    assert not is_overtaken()
    mine.next()
    assert is_overtaken()


def test_all_without_a_map_leaves_spt_out_and_says_why(handlers, studio, tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.setattr("pgt.predictor.PARSER", "no-such-parser")
    somebody = studio.synthetic(9).person
    Image.fromarray(somebody.image).save(tmp_path / "photo.png")
    (tmp_path / "photo.json").write_text(somebody.pose.to_json())
    session = handlers.use_photo(str(tmp_path / "photo.png"), str(tmp_path / "photo.json"), ALL)[0]
    *_, (grid, compared) = handlers.follow(session)
    assert grid.count("<figure") == len(NAMES)  # the part warp in place of SPT; no truth
    assert "human parser" in grid
    assert "no truth" in compared


def test_the_choice_names_the_view_of_all(studio):
    def choices(of: Studio) -> dict:
        parts = page.create_demo(of, "CPU").get_config_file()["components"]
        return next(part["props"] for part in parts if part["props"].get("elem_id") == "approach")

    assert choices(studio)["choices"][-1] == ("All four", ALL)
    alone = Studio(Predictor(make_pg2(), name="tiny"), Predictor(PartWarp()))
    assert choices(alone)["visible"] is False
    assert set(ALL_OF) == {2, 3, len(NAMES)}


# Rounds and levels ------------------------------------------------------------------------------------------


def test_rounds_are_chosen_shown_and_change_the_picture(handlers, studio):
    session, *_, result = handlers.render_person(5, "Studio", "MR-Net", 1)
    assert len(session.prediction.refinements) == 1
    assert "Round" not in result
    after, more, _ = handlers.release(session, session.pose, "MR-Net", MAX_ROUNDS)
    assert [name for _, name, _ in steps.series(after.prediction)] == [f"Round {i}" for i in range(1, 6)]
    assert all(f"<b>Round {i}</b>" in more for i in range(1, 6))
    assert (after.prediction.image != session.prediction.image).any()
    np.testing.assert_array_equal(after.prediction.refinements[0], session.prediction.image)


def test_rounds_are_as_trained_unless_chosen(studio):
    subject = studio.synthetic(5)
    assert len(studio.draw(subject, subject.start, "MR-Net").refinements) == 2


@pytest.mark.parametrize("rounds", [0, 6, 2.5, -1, "3", [2], float("nan")])
def test_other_numbers_of_rounds_are_refused_in_one_sentence(handlers, rounds):
    with pytest.raises(gr.Error) as caught:
        handlers.render_person(5, "Studio", "MR-Net", rounds)
    assert "1 to 5" in one_sentence_of(caught)


def test_only_who_refines_is_told_the_rounds(handlers):
    session = handlers.render_person(5, "Studio", "PG2", MAX_ROUNDS)[0]
    assert session.prediction.refinements is None
    assert [handlers.tools(name)["visible"] for name in (*NAMES, ALL)] == [False, False, True, False, False]


def test_levels_are_shown_coarse_to_fine(handlers, studio):
    session, *_, result = handlers.render_person(5, "Studio", "Progressive")
    names = [name for _, name, _ in steps.series(session.prediction)]
    assert names == ["16 × 16", "32 × 32", "64 × 64"]
    assert all(f"<b>{name}</b>" in result for name in names)
    assert [name for _, name, _ in steps.explain(session.prediction)][2:] == names


def test_steps_of_mrnet_are_its_branches_and_rounds(handlers):
    session = handlers.render_person(5, "Studio", "MR-Net", 2)[0]
    names = [name for _, name, _ in steps.explain(session.prediction)]
    assert names == ["Source", "Heat maps", "Foreground", "Background", "Round 1", "Round 2"]
    assert handlers.explain(session, True).count("<figure") == len(names)


def test_steps_beside_the_view_of_all_say_whose_they_are(handlers):
    session = handlers.render_person(5, "Studio", ALL)[0]
    assert "the steps of PG2" in handlers.explain(session, True)


# People who are moved through the scene ---------------------------------------------------------------------


def test_non_iconic_people_are_small_and_there_are_examples_of_them(studio):
    def height(scene: str) -> float:
        heights = [np.ptp(studio.synthetic(seed, scene).person.keypoints[:, 1]) for seed in range(6)]
        return float(np.mean(heights))

    assert height(NON_ICONIC) < 0.75 * height("Studio")
    assert sum(scene == NON_ICONIC for _, scene, _ in EXAMPLES) >= 3


def test_truth_of_a_person_who_is_moved_is_the_person_elsewhere(studio):
    subject = studio.synthetic(45, NON_ICONIC)
    pose, by = subject.presets["Walking"], np.array([5, -3], np.float32)
    before, after = studio.truth(subject, pose), studio.truth(subject, shifted(pose, tuple(by)))
    seen = after.visible & before.visible
    np.testing.assert_allclose(after.keypoints[seen], before.keypoints[seen] + by, atol=0.6)
    same = np.roll(before.person_mask, (-3, 5), axis=(0, 1)) == after.person_mask
    assert same.mean() > 0.98


def test_truth_of_a_person_who_is_resized_has_that_size(studio):
    subject = studio.synthetic(45, NON_ICONIC)
    pose = subject.presets["Walking"]
    smaller = studio.truth(subject, shifted(pose, (0, 0), 0.7))
    wanted = np.ptp(pose.keypoints[:, 1]) * 0.7
    assert np.ptp(smaller.keypoints[:, 1]) == pytest.approx(wanted, rel=0.06)


def test_a_dragged_joint_moves_nobody(studio):
    pose = studio.synthetic(5).presets["Standing"]
    keypoints = pose.keypoints.copy()
    keypoints[[4, 7]] += (6, -20)  # both wrists
    scale, shift, rest = followed(pose, Pose(keypoints, pose.visible, pose.image_size))
    assert scale == 1
    np.testing.assert_array_equal(shift, 0)
    assert rest > 1


def test_moved_camera_sees_what_was_moved():
    from pgt.synthetic.camera import Camera, project

    points = np.random.default_rng(0).normal(size=(7, 3))
    camera, size, shift = Camera(0.3, 0.1, (0.1, 0.3), 0.4), (64, 48), np.array([4.0, -7.0])
    pixels, _ = project(points, camera, size)
    moved, _ = project(points, moved_camera(camera, 1.3, shift, size), size)
    np.testing.assert_allclose(moved, 1.3 * pixels + shift)


# Weights ----------------------------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Save tiny weights of the two newest approaches where the library looks, and hide the bundled ones."""
    data = {"data": "Synthetic people. Nobody else."}
    save(make_mrnet(), tmp_path / "mrnet-synthetic-128", data)
    save(make_progressive(), tmp_path / "progressive-synthetic-128", data)
    save(make_progressive((128, 128)), tmp_path / "progressive-synthetic-256")
    monkeypatch.setenv("PGT_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr(weights, "bundled_names", lambda approach: [])
    return tmp_path


def test_weights_that_appear_are_taken_by_themselves(here, tiny_checkpoint):
    assert weights.found("MR-Net") == "mrnet-synthetic-128"
    assert weights.found("Progressive") == "progressive-synthetic-256"
    assert weights.found("SPT") is None
    studio = app.make_studio(str(tiny_checkpoint), "cpu")
    assert list(studio.approaches) == ["PG2", "MR-Net", "Progressive"]
    assert studio.trained_on["MR-Net"] == "Synthetic people"
    assert studio.trained_on["Progressive"] == weights.NOT_STATED


@pytest.mark.parametrize(
    ("sides", "best"), [((64, 128, 256), 256), ((256, 1024), 256), ((512, 1024), 512), ((128,), 128)]
)
def test_the_largest_pictures_that_follow_a_hand_are_taken(monkeypatch, sides, best):
    names = [f"progressive-synthetic-{side}" for side in sides]
    monkeypatch.setattr(weights, "bundled_names", lambda approach: names)
    monkeypatch.delenv("PGT_CHECKPOINTS", raising=False)
    assert weights.found("Progressive") == f"progressive-synthetic-{best}"


def test_damaged_weights_end_in_one_sentence(here):
    (here / "mrnet-synthetic-128" / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match=r"mrnet-synthetic-128 is damaged.*\.$"):
        weights.load("MR-Net", None, "cpu")


def test_every_approach_can_be_named_by_a_flag(monkeypatch, capsys, tmp_path):
    for flag in app.OTHERS.values():
        monkeypatch.setattr(sys, "argv", ["app.py", f"--{flag}", str(tmp_path / "nothing"), "--check"])
        with pytest.raises(SystemExit):
            app.main()
        assert "There is no checkpoint" in capsys.readouterr().err


def test_frames_of_several_sizes_stand_side_by_side(studio):
    large = Predictor(make_progressive((128, 128)), name="larger")
    mixed = Studio(studio.predictor, studio.baseline, others=[large])
    session = Handlers(mixed, "CPU").render_person(5, "Studio", ALL)[0]
    *_, (grid, scores) = Handlers(mixed, "CPU").follow(session)
    assert "aspect-ratio: 128 / 128" in grid
    assert "larger" in scores
