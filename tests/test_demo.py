"""The demo without a browser: the editor's value, what the studio draws, and what a visitor is told."""

import base64
import copy
import io
import json
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgt.data.pose import FLIP_JOINTS, JOINTS, NUM_JOINTS, Pose
from pgt.models.part_warp import PartWarp
from pgt.predictor import Predictor

gr = pytest.importorskip("gradio", reason="the demo needs gradio")
DEMO = Path(__file__).parents[1] / "demo"
sys.path.insert(0, str(DEMO))

import app  # noqa: E402
import page  # noqa: E402
import pose_editor  # noqa: E402
import studio as studio_module  # noqa: E402
import view  # noqa: E402
from handlers import Handlers  # noqa: E402
from placing import moved_onto, with_missing_joints  # noqa: E402
from steps import explain  # noqa: E402
from studio import PRESET_KINDS, Studio, checked_seed  # noqa: E402

SIZE = (64, 64)


@pytest.fixture(scope="module")
def studio() -> Studio:
    """Return a studio over a tiny untrained PG2."""
    from dataclasses import replace

    from pgt.config import PRESETS
    from pgt.models.pg2 import PG2Generator

    config = replace(
        PRESETS["pg2-tiny"], image_size=SIZE, base_channels=4, discriminator_channels=4, bottleneck_features=8
    )
    return Studio(Predictor(PG2Generator.from_config(config), name="tiny"), Predictor(PartWarp()))


@pytest.fixture(scope="module")
def handlers(studio) -> Handlers:
    return Handlers(studio, "CPU")


@pytest.fixture(scope="module")
def session(handlers):
    return handlers.render_person(3, "Studio")[0]


def a_pose(**changes) -> dict:
    """Return a valid editor value, changed."""
    value = {"image_size": [64, 64], "keypoints": [[10 + 2 * i, 12 + i, 1] for i in range(NUM_JOINTS)]}
    return {**value, **changes}


def with_joint(index: int, joint: object) -> list:
    joints = a_pose()["keypoints"]
    joints[index] = joint
    return joints


# The editor's value ---------------------------------------------------------------------------------------


def test_value_and_pose_are_a_round_trip():
    value = a_pose()
    assert pose_editor.pose_to_value(pose_editor.value_to_pose(value)) == value


BAD_VALUES = {
    "nothing": None,
    "empty": {},
    "text": "pose",
    "list": [1, 2],
    "no keypoints": a_pose(keypoints=[]),
    "17 joints": a_pose(keypoints=a_pose()["keypoints"][:17][::-1][:16]),
    "19 joints": a_pose(keypoints=[*a_pose()["keypoints"], [1, 1, 1]]),
    "NaN": a_pose(keypoints=with_joint(3, [float("nan"), 1, 1])),
    "infinite": a_pose(keypoints=with_joint(3, [float("inf"), 1, 1])),
    "words": a_pose(keypoints=with_joint(3, ["a", "b", "c"])),
    "two numbers": a_pose(keypoints=with_joint(3, [1, 2])),
    "nested": a_pose(keypoints=with_joint(3, [[1], 2, 3])),
    "null": a_pose(keypoints=with_joint(3, None)),
    "object": a_pose(keypoints={"a": 1}),
    "far outside": a_pose(keypoints=with_joint(3, [4000, 1, 1])),
    "all hidden": a_pose(keypoints=[[1, 1, 0]] * NUM_JOINTS),
    "no size": a_pose(image_size=None),
    "empty size": a_pose(image_size=[0, 0]),
    "huge size": a_pose(image_size=[100_000, 100_000]),
    "size of words": a_pose(image_size=["a", "b"]),
    "size of three": a_pose(image_size=[1, 2, 3]),
    "infinite size": a_pose(image_size=[float("inf"), 64]),
}


@pytest.mark.parametrize("value", BAD_VALUES.values(), ids=BAD_VALUES)
def test_bad_values_are_refused_in_one_sentence(value):
    editor = pose_editor.PoseEditor(pose_editor.value_to_pose(a_pose()))
    with pytest.raises(gr.Error) as caught:
        editor.preprocess(value)
    message = str(caught.value.message)
    assert message.endswith(".")
    assert "\n" not in message
    assert not caught.value.print_exception  # the server's log is spared as well


def test_hidden_joints_outside_are_brought_to_the_edge():
    pose = Pose(np.full((NUM_JOINTS, 2), -50.0), np.eye(NUM_JOINTS, dtype=bool)[0], SIZE)
    value = pose_editor.pose_to_value(pose)
    assert value["keypoints"][0] == [-50, -50, 1]  # a visible one is left where it is
    assert value["keypoints"][1] == [0, 0, 0]


def test_page_knows_who_follows_whom():
    carried = pose_editor.skeleton()["carried"]
    named = {JOINTS[i]: {JOINTS[j] for j in followers} for i, followers in enumerate(carried)}
    assert named["left_shoulder"] == {"left_elbow", "left_wrist"}
    assert named["right_knee"] == {"right_ankle"}
    assert named["left_wrist"] == set()
    assert named["neck"] == {"nose", "right_eye", "left_eye", "right_ear", "left_ear"}
    mirrored = [{FLIP_JOINTS[j] for j in carried[FLIP_JOINTS[i]]} for i in range(NUM_JOINTS)]
    assert mirrored == [set(followers) for followers in carried]


def test_template_never_changes_under_a_drag():
    editor = pose_editor.PoseEditor(pose_editor.value_to_pose(a_pose()))
    for text in (editor.html_template, editor.css_template):
        assert "${" not in text
        assert "{{" not in text
        assert "`" not in text


def test_api_schema_describes_every_level():
    schema = pose_editor.PoseEditor().api_info()["properties"]
    assert schema["keypoints"]["items"]["items"]["type"] == "number"
    assert schema["image_size"]["items"]["type"] == "integer"


# The studio -----------------------------------------------------------------------------------------------


def test_a_number_is_always_the_same_person(studio):
    first, again, other = studio.synthetic(5), studio.synthetic(5), studio.synthetic(6)
    np.testing.assert_array_equal(first.person.image, again.person.image)
    assert (first.person.image != other.person.image).any()


def test_a_portrait_is_the_persons_picture(studio):
    np.testing.assert_array_equal(studio.portrait(5, "Room"), studio.synthetic(5, "Room").person.image)


def test_scene_changes_the_background_alone(studio):
    plain, street = studio.synthetic(5, "Studio"), studio.synthetic(5, "Street")
    np.testing.assert_array_equal(plain.person.keypoints, street.person.keypoints)
    assert (plain.person.background != street.person.background).any()


def test_people_are_shown_from_the_front(studio):
    nose = JOINTS.index("nose")
    assert all(studio.synthetic(seed).person.visible[nose] for seed in range(6))


def test_every_kind_of_pose_is_ready_made(studio):
    presets = studio.synthetic(5).presets
    assert len(presets) == len(PRESET_KINDS)
    assert all(pose.image_size == SIZE for pose in presets.values())


def test_unknown_approach_is_refused(studio):
    with pytest.raises(ValueError, match="must be one of PG2"):
        studio.draw(studio.synthetic(1), studio.synthetic(1).start, "MR-Net")


@pytest.mark.parametrize("seed", [-1, 1_000_000, 1.5, float("nan"), float("inf"), None, "", "x", [1]])
def test_bad_numbers_are_refused(seed):
    with pytest.raises(ValueError, match="whole number from 0 to 999999"):
        checked_seed(seed)


def test_unknown_scene_is_refused(studio):
    with pytest.raises(ValueError, match="Studio, Room, Street, Non-iconic"):
        studio.synthetic(1, "Moon")


def test_truth_in_the_own_pose_is_the_person_itself(studio):
    subject = studio.synthetic(5)
    prediction = studio.draw(subject, subject.person.pose)
    comparison = studio.compare(subject, subject.person.pose, {"PG2": prediction})
    difference = np.abs(comparison.truth.image.astype(int) - subject.person.image)
    assert difference.mean() < 1
    copy = comparison.scores["Copy of source"]
    assert copy["ssim"] > 0.97


def test_truth_takes_a_ready_made_pose(studio):
    subject = studio.synthetic(5)
    wanted = subject.presets["Arms raised"]
    comparison = studio.compare(subject, wanted, {"PG2": studio.draw(subject, wanted)})
    away = np.linalg.norm(comparison.truth.keypoints - wanted.keypoints, axis=1)
    assert np.median(away[wanted.visible]) < 1.5  # pixels of 64: bones keep their length, so not exactly


def test_all_three_methods_are_scored(studio):
    subject = studio.synthetic(5)
    drawn = {"PG2": studio.draw(subject, subject.start)}
    scores = studio.compare(subject, subject.start, drawn).scores
    assert list(scores) == ["tiny", "Part warp", "Copy of source"]
    assert all(set(view.METRICS) <= set(row) for row in scores.values())


def test_steps_are_explained_in_order(studio):
    subject = studio.synthetic(5)
    steps = explain(studio.draw(subject, subject.start))
    names = [name for _, name, _ in steps]
    assert names[:4] == ["Source", "Heat maps", "Pose mask", "Coarse"]
    assert all(picture.dtype == np.uint8 and picture.shape == (*SIZE, 3) for picture, _, _ in steps)


def test_copied_pose_stands_where_the_other_stood():
    pose = pose_editor.value_to_pose(a_pose())
    larger = Pose(pose.keypoints * 1.4 - 3, pose.visible, SIZE)
    np.testing.assert_allclose(moved_onto(pose, larger).keypoints, larger.keypoints, atol=1e-3)


def test_copied_joints_outside_the_frame_are_hidden():
    pose = pose_editor.value_to_pose(a_pose())
    moved = moved_onto(pose, Pose(pose.keypoints + 40, pose.visible, SIZE))
    outside = (moved.keypoints > 63.5).any(axis=1)
    assert outside.any()
    np.testing.assert_array_equal(moved.visible, ~outside)


def test_missing_joints_get_a_place_but_stay_hidden(studio):
    standing = studio.synthetic(0).presets["Standing"]
    visible = np.ones(NUM_JOINTS, bool)
    visible[[4, 10]] = False
    holed = Pose(np.where(visible[:, None], standing.keypoints, 0), visible, SIZE)
    filled = with_missing_joints(holed, standing)
    np.testing.assert_allclose(filled.keypoints, standing.keypoints, atol=1e-3)
    np.testing.assert_array_equal(filled.visible, visible)


def test_space_decorator_wraps_the_drawing(studio):
    calls = []

    def lend(work):
        return lambda *arguments: calls.append(arguments) or work(*arguments)

    wrapped = Studio(studio.predictor, studio.baseline, lend=lend)
    subject = wrapped.synthetic(1)
    wrapped.draw(subject, subject.start)
    assert len(calls) == 1


# Handlers -------------------------------------------------------------------------------------------------


def test_release_gives_a_new_picture(handlers, session):
    changed = session.subject.person.pose.flipped()
    after, result, update = handlers.release(session, changed)
    assert (after.prediction.image != session.prediction.image).any()
    assert after.subject is session.subject
    assert result.count("data:image/png;base64,") == 2  # shown, and behind the download link
    assert set(update["pictures"]) == {"source", "result"}
    assert "value" not in update  # the editor must not be overwritten by its own echo


def test_new_person_fills_the_whole_page(handlers):
    seed, session, source, editor, result = handlers.roll("Studio")
    assert checked_seed(seed) == seed
    assert editor["value"] == pose_editor.pose_to_value(session.subject.start)
    assert editor["initial"] == pose_editor.pose_to_value(session.subject.person.pose)
    assert len(editor["presets"]) == len(PRESET_KINDS)
    assert "data:image/png" in source
    assert "ms" in result


def test_example_is_shown_in_its_pose(handlers):
    seed, scene, preset = page.EXAMPLES[1]
    shown = handlers.use_example(seed, scene, preset)
    assert shown[:2] == (seed, scene)
    assert shown[4]["value"] == pose_editor.pose_to_value(shown[2].subject.presets[preset])


def test_comparison_shows_truth_baseline_and_scores(handlers, session):
    html = handlers.compare(session)
    assert html.count("<img") == 2
    assert html.count("<tr>") == 4


def test_steps_are_only_drawn_for_those_who_look(handlers, session):
    assert handlers.explain(session, False) == ""
    assert handlers.explain(session, True).count("<figure") >= 5


def test_pose_of_another_person_is_copied(handlers, session):
    value = handlers.copy_from_person(session, 11, "Street")
    assert pose_editor.value_to_pose(value).image_size == SIZE


def test_pose_file_is_imported(handlers, session):
    pose = pose_editor.value_to_pose(a_pose())
    assert handlers.imported(session, pose.to_json()) == a_pose()


def test_pose_file_of_a_larger_frame_is_fitted(handlers, session):
    pose = pose_editor.value_to_pose(a_pose()).resized((128, 128))
    value = handlers.imported(session, pose.to_json())
    np.testing.assert_allclose(value["keypoints"], a_pose()["keypoints"], atol=0.02)


@pytest.mark.parametrize("text", [None, "", 5, "{}", "nonsense", "[" * 5000, "x" * 2_000_000])
def test_bad_pose_files_are_refused_in_one_sentence(handlers, session, text):
    with pytest.raises(gr.Error) as caught:
        handlers.imported(session, text)
    assert "\n" not in caught.value.message


def write_photo(folder: Path, pose: Pose, picture: np.ndarray) -> tuple[str, str]:
    Image.fromarray(picture).save(folder / "photo.png")
    (folder / "photo.json").write_text(pose.to_json())
    return str(folder / "photo.png"), str(folder / "photo.json")


def test_photo_with_joints_becomes_the_subject(handlers, studio, tmp_path):
    somebody = studio.synthetic(9).person.resized((256, 256))
    shown = handlers.use_photo(*write_photo(tmp_path, somebody.pose, somebody.image))
    subject = shown[0].subject
    assert not subject.is_synthetic
    assert subject.person.image.shape == (*SIZE, 3)
    assert "no truth" in handlers.compare(shown[0])
    assert "Your photo" in shown[1]


def test_pose_is_copied_from_a_photo(handlers, session, studio, tmp_path):
    other = studio.synthetic(9).person
    value = handlers.copy_from_photo(session, *write_photo(tmp_path, other.pose, other.image))
    assert pose_editor.value_to_pose(value).visible.any()


def test_bad_photos_are_refused_in_one_sentence(handlers, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    for photo in (None, str(tmp_path / "text.png")):
        with pytest.raises(gr.Error) as caught:
            handlers.use_photo(photo, None)
        assert "\n" not in caught.value.message
        assert not caught.value.print_exception


def test_photo_without_joints_and_detector_says_so(handlers, studio, tmp_path, monkeypatch):
    from pgt import photos

    def unavailable():
        raise photos.DetectorUnavailableError("The weights could not be downloaded.")

    monkeypatch.setattr(photos.detectors, "load_keypoint_rcnn", unavailable)
    somebody = studio.synthetic(9).person
    photo, _ = write_photo(tmp_path, somebody.pose, somebody.image)
    with pytest.raises(gr.Error, match="could not be downloaded"):
        handlers.use_photo(photo, None)


def test_texts_are_escaped():
    picture = np.zeros((4, 4, 3), np.uint8)
    for html in (
        view.figure(picture, "<script>", "<b>"),
        view.header("<i>", "<i>", ["<i>"]),
        view.note("<i>"),
    ):
        assert "<script>" not in html
        assert "<i>" not in html
    assert "<i>" not in view.score_table({"<i>": {"ssim": 1.0}})


def test_best_score_of_each_metric_is_bold():
    table = view.score_table(
        {"a": {"ssim": 0.5, "foreground_l1": 0.1}, "b": {"ssim": 0.6, "foreground_l1": 0.2}}
    )
    assert "<b>0.600</b>" in table
    assert "<b>0.100</b>" in table
    assert table.count("<b>") == 2


# For programs ---------------------------------------------------------------------------------------------


def test_program_can_render_and_generate(handlers):
    person = handlers.api_render_person(4, "Studio")
    answer = handlers.api_generate(4, "Studio", person["presets"]["Walking"])
    assert json.dumps(answer)
    picture = Image.open(io.BytesIO(base64.b64decode(answer["picture"].partition(",")[2])))
    assert picture.size == SIZE[::-1]
    assert "tiny" in answer["scores"]


def test_program_can_send_a_photo(handlers, studio):
    somebody = studio.synthetic(9).person
    photo = view.picture_address(somebody.image)
    joints = json.loads(somebody.pose.to_json())
    answer = handlers.api_generate_from_photo(photo, joints, a_pose())
    assert set(answer) == {"picture", "part_warp", "milliseconds"}


@pytest.mark.parametrize("photo", ["", "%%%", "aGVsbG8=", 5, None, "x" * 15_000_000])
def test_bad_photos_of_programs_are_refused(handlers, photo):
    with pytest.raises(gr.Error) as caught:
        handlers.api_generate_from_photo(photo, {}, a_pose())
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("pose", [None, {}, "x", BAD_VALUES["NaN"]])
def test_bad_poses_of_programs_are_refused(handlers, pose):
    with pytest.raises(gr.Error):
        handlers.api_generate(4, "Studio", pose)


# The page -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(studio) -> gr.Blocks:
    return page.create_demo(studio, "CPU")


def test_endpoints_are_named(demo):
    assert set(demo.get_api_info()["named_endpoints"]) == {
        "/render_person",
        "/generate",
        "/generate_from_photo",
    }


def test_pages_description_is_plain_data(demo):
    described = [part["props"] for part in demo.get_config_file()["components"] if part["type"] == "html"]
    assert json.dumps(described)  # a partial here would make Gradio copy the whole demo for every visitor


def test_drawing_waits_for_no_comparison_and_no_film(demo):
    released = [fn for fn in demo.fns.values() if any(event == "release" for _, event in fn.targets)]
    assert released
    assert all(fn.trigger_mode == "always_last" and fn.concurrency_limit >= 2 for fn in released)
    queues = {fn.concurrency_id for fn in released}
    later = [fn for fn in demo.fns.values() if fn.name in ("follow", "compare", "run")]
    assert later
    assert not queues & {fn.concurrency_id for fn in later}


def test_what_a_page_opens_with_is_not_copied_for_every_visitor(handlers):
    session = handlers.render_person(5, "Studio")[0]
    assert copy.deepcopy(session) is session


def test_taken_port_is_replaced():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert app.free_port(port) != port


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="arenas are glibc's")
def test_threads_share_two_arenas():
    program = """
import ctypes, threading, app
libc, threads = ctypes.CDLL(None), 16
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
together = threading.Barrier(threads)
def work():
    kept = libc.malloc(1000)
    together.wait()
    libc.free(kept)
assert app.limit_arenas()
workers = [threading.Thread(target=work) for _ in range(threads)]
for one in workers: one.start()
for one in workers: one.join()
libc.malloc_stats()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=DEMO, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 1 <= done.stderr.count("Arena ") <= app.ARENAS


def test_launch_is_private_and_limited(monkeypatch):
    seen = {}
    monkeypatch.setattr(gr.Blocks, "launch", lambda self, **settings: seen.update(settings))
    app.launch(gr.Blocks(analytics_enabled=False))
    assert seen["server_name"] == "127.0.0.1"
    assert seen["max_file_size"] == "10mb"
    assert seen["state_session_capacity"] <= 1000  # else pages that were left are kept for ever
    assert "allowed_paths" not in seen
    assert not seen.get("share")


def test_missing_weights_end_in_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["app.py", "--model", "no-such-weights", "--check"])
    with pytest.raises(SystemExit):
        app.main()
    assert capsys.readouterr().err.count("\n") == 1


def test_first_example_exists(studio):
    for seed, scene, preset in page.EXAMPLES:
        assert scene in studio_module.SCENES
        assert preset in studio.synthetic(seed, scene).presets


# Real photographs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["deepfashion_pair", "market_photos"])
def test_real_photos_are_drawn(handlers, real_data, folder):
    keypoints = real_data / folder / "keypoints.csv"
    for photo in sorted((real_data / folder).glob("*.jpg"))[:3]:
        session = handlers.use_photo(str(photo), str(keypoints))[0]
        preset = session.subject.presets["Arms raised"]
        after = handlers.release(session, preset)[0]
        assert after.prediction.image.shape == (*SIZE, 3)
        assert "Part warp" in handlers.compare(after)


# Several at once --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_visitors_queue_without_failing(demo):
    client_module = pytest.importorskip("gradio_client")
    app.launch(demo, server_port=app.free_port(), prevent_thread_lock=True, quiet=True)
    try:
        client = client_module.Client(demo.local_url, verbose=False)
        pose = client.predict(seed=1, scene="Studio", api_name="/render_person")["presets"]["Walking"]
        jobs = [client.submit(seed=n % 3, scene="Studio", pose=pose, api_name="/generate") for n in range(12)]
        answers = [job.result(timeout=240) for job in jobs]
        assert all(answer["picture"].startswith("data:image/png") for answer in answers)
        assert answers[0]["picture"] == answers[3]["picture"]

        with pytest.raises(client_module.exceptions.AppError, match="whole number"):
            client.predict(seed=-1, scene="Studio", pose=pose, api_name="/generate")
    finally:
        demo.close()
