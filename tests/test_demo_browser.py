"""The demo in a real Chromium: by mouse, by finger, by keyboard, on a wide and on a phone-sized window."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from pgt.config import PRESETS
from pgt.data.pose import JOINTS
from pgt.models.part_warp import PartWarp
from pgt.models.pg2 import PG2Generator
from pgt.predictor import Predictor
from tests.demo_visit import PATIENCE, PHONE, WIDE, picture, visiting

pytestmark = pytest.mark.browser
pytest.importorskip("gradio", reason="the demo needs gradio")

WRIST = JOINTS.index("left_wrist")


@pytest.fixture(scope="module")
def studio():
    """Return a studio over a small untrained PG2: what is tested is the page."""
    from studio import Studio

    config = replace(PRESETS["pg2-synthetic-128"], base_channels=4, bottleneck_features=8)
    torch.manual_seed(0)
    return Studio(Predictor(PG2Generator.from_config(config), name="untrained"), Predictor(PartWarp()))


def test_page_opens_on_a_working_example(visit):
    assert picture(visit.result()).shape == (128, 128, 3)
    assert visit.page.locator("#compared img").count() == 2
    assert visit.page.locator("[data-preset]").count() == 12


def test_dragged_joint_draws_a_new_picture(visit):
    visit.page.uncheck(".pe-carry input")
    old, before = visit.result(), visit.places()
    visit.drag("left_wrist", 30, 60)
    assert picture(visit.new_result(old)).shape == (128, 128, 3)
    after = visit.places()
    assert [i for i in range(len(JOINTS)) if before[i] != after[i]] == [WRIST]


def test_joint_lands_where_the_mouse_lets_go(visit):
    x, y = visit.joint("left_wrist")
    visit.drag("left_wrist", -40, 50)
    assert visit.joint("left_wrist") == pytest.approx((x - 40, y + 50), abs=1)


def test_server_gets_the_dragged_pose(visit, studio, monkeypatch):
    seen = []
    draw = studio.draw

    def watched(subject, pose, *approach):
        seen.append(pose)
        return draw(subject, pose, *approach)

    monkeypatch.setattr(studio, "draw", watched)
    old = visit.result()
    visit.drag("left_wrist", 25, 40)
    visit.new_result(old)
    assert len(seen) == 1  # on release, not on every move
    assert visit.spot("left_wrist") == pytest.approx(seen[0].keypoints[WRIST].tolist(), abs=0.51)


def test_picture_is_the_same_as_without_a_browser(visit, studio, monkeypatch):
    old = visit.result()
    predictions = []
    draw = studio.draw
    monkeypatch.setattr(studio, "draw", lambda *given: predictions.append(draw(*given)) or predictions[-1])
    visit.drag("right_knee", 20, -30)
    np.testing.assert_array_equal(picture(visit.new_result(old)), predictions[-1].image)


def test_limb_moves_along_with_its_joint(visit):
    x, y = visit.joint("left_wrist")
    visit.drag("left_elbow", 12, -18)
    assert visit.joint("left_wrist") == pytest.approx((x + 12, y - 18), abs=1.5)


def test_undo_and_redo(visit):
    start, first = visit.places(), visit.result()
    visit.drag("left_wrist", 30, 60)
    second = visit.new_result(first)
    moved = visit.places()
    visit.click("[data-act=undo]")
    assert visit.new_result(second) == first
    assert visit.places() == start
    visit.click("[data-act=redo]")
    assert visit.new_result(first) == second
    assert visit.places() == moved


def test_mirror_twice_changes_nothing(visit):
    start, first, wrist = visit.places(), visit.result(), visit.spot("right_wrist")
    visit.click("[data-act=mirror]")
    second = visit.new_result(first)
    assert visit.places() != start
    assert visit.spot("left_wrist") == pytest.approx([127 - wrist[0], wrist[1]], abs=1)  # sides are swapped
    visit.click("[data-act=mirror]")
    assert visit.new_result(second) == first
    assert visit.places() == start


def test_reset_gives_the_persons_own_pose(visit, studio):
    from page import EXAMPLES

    own = studio.synthetic(*EXAMPLES[0][:2]).person.pose
    old = visit.result()
    visit.click("[data-act=reset]")
    visit.new_result(old)
    assert visit.spot("left_wrist") == pytest.approx(own.keypoints[WRIST].tolist(), abs=0.51)


def test_joint_is_hidden_and_shown(visit):
    old = visit.result()
    visit.page.locator("[data-joint=left_wrist]").focus()
    visit.page.keyboard.press("Delete")
    hidden = visit.new_result(old)
    assert "hidden" in visit.said("left_wrist")
    visit.click("[data-act=toggle]")
    visit.new_result(hidden)
    assert "hidden" not in visit.said("left_wrist")


def test_keyboard_moves_a_joint_once_per_series(visit):
    visit.page.uncheck(".pe-carry input")
    x, y = visit.joint("left_wrist")
    old = visit.result()
    visit.page.locator("[data-joint=left_wrist]").focus()
    for key in ("Shift+ArrowDown", "ArrowLeft", "ArrowLeft"):
        visit.page.keyboard.press(key)
    visit.new_result(old)
    pixel = visit.page.locator(".pe-canvas").bounding_box()["width"] / 128
    assert visit.joint("left_wrist") == pytest.approx((x - 2 * pixel, y + 8 * pixel), abs=1)
    visit.page.keyboard.press("Control+z")  # the whole series is one edit
    visit.page.wait_for_timeout(300)
    assert visit.joint("left_wrist") == pytest.approx((x, y), abs=1)


def test_ready_made_pose(visit):
    old = visit.result()
    visit.click("[data-preset=Squatting]")
    visit.new_result(old)


def test_somebody_else(visit):
    old, source = visit.result(), visit.page.locator("#source img").get_attribute("src")
    number = visit.page.locator("#choose input").first.input_value()
    visit.click("#roll")
    visit.new_result(old)
    assert visit.page.locator("#source img").get_attribute("src") != source
    assert visit.page.locator("#choose input").first.input_value() != number
    assert visit.page.locator("[data-act=undo]").is_disabled()


def test_example_is_one_click_away(visit):
    old = visit.result()
    visit.click("#examples [data-index='2']")
    visit.new_result(old)


def test_steps_are_behind_one_click_and_follow(visit):
    assert visit.page.locator("#steps img").count() == 0
    visit.click("#steps button")
    visit.page.wait_for_selector("#steps img >> nth=4", timeout=PATIENCE)
    heat_maps = visit.page.locator("#steps img").nth(1).get_attribute("src")
    visit.drag("left_wrist", 30, 60)
    visit.page.wait_for_function(
        "old => document.querySelectorAll('#steps img')[1].src !== old", arg=heat_maps, timeout=PATIENCE
    )


def test_pose_of_somebody_else_is_copied(visit):
    old = visit.result()
    visit.click("#copy button")
    visit.click("#copy-person")
    visit.new_result(old)


def test_pose_is_exported_and_imported(visit, tmp_path):
    with visit.page.expect_download() as downloading:
        visit.click("[data-act=export]")
    path = tmp_path / "pose.json"
    downloading.value.save_as(path)
    start, first = visit.places(), visit.result()
    assert len(json.loads(path.read_text())["keypoints"]) == len(JOINTS)
    visit.drag("left_wrist", 30, 60)
    second = visit.new_result(first)
    visit.page.set_input_files(".pe-file", path)
    assert visit.new_result(second) == first
    assert visit.places() == start


def test_picture_can_be_downloaded(visit, tmp_path):
    with visit.page.expect_download() as downloading:
        visit.click(".pgt-download")
    downloading.value.save_as(tmp_path / "person.png")
    assert Image.open(tmp_path / "person.png").size == (128, 128)


def test_person_or_result_lies_under_the_joints(visit):
    assert not visit.page.locator(".pe-under").is_visible()
    visit.click("[data-under=source]")
    source = visit.page.locator(".pe-under").get_attribute("href")
    visit.click("[data-under=result]")
    result = visit.page.locator(".pe-under").get_attribute("href")
    assert source.startswith("data:image/")
    assert result.startswith("data:image/")
    assert source != result


def test_bad_pose_file_gives_one_sentence(visit):
    file = {"name": "pose.json", "mimeType": "application/json", "buffer": b'{"keypoints": [[1, 2, 1]]}'}
    visit.page.set_input_files(".pe-file", file)
    assert "18 are needed" in visit.told()


def test_photo_with_joints(visit, studio, tmp_path):
    somebody = studio.synthetic(77).person
    Image.fromarray(somebody.image).resize((384, 384)).save(tmp_path / "photo.png")
    (tmp_path / "photo.json").write_text(somebody.pose.to_json())
    old = visit.result()
    visit.page.get_by_role("tab", name="Photo").first.click()
    files = visit.page.locator("#choose input[type=file]")
    files.nth(1).set_input_files(tmp_path / "photo.json")  # a field that has its file takes no other
    files.nth(0).set_input_files(tmp_path / "photo.png")
    visit.page.wait_for_selector("#choose .file-preview >> nth=1", timeout=PATIENCE)
    visit.click("#use-photo")
    visit.new_result(old)
    assert "Your photo" in visit.page.locator("#source").inner_text()


def test_without_spt_there_is_no_choice_and_its_tabs_say_why(visit):
    from page import NO_SPT, SPT_TABS

    assert visit.page.locator("#approach").count() == 0
    for name in SPT_TABS:
        visit.open_tab(name)
        assert visit.page.locator(".pgt-warning").locator("visible=true").inner_text() == NO_SPT


def test_two_visitors_do_not_disturb_each_other(visit, browser, address):
    with visiting(browser, address, WIDE) as other:
        mine, theirs = visit.result(), other.result()
        assert mine == theirs
        visit.drag("left_wrist", 30, 60)
        visit.new_result(mine)
        assert other.result() == theirs


# A phone --------------------------------------------------------------------------------------------------


def test_phone_needs_no_sideways_scrolling(phone):
    assert not phone.is_too_wide()
    assert phone.page.evaluate("window.innerWidth") == PHONE["viewport"]["width"]


def test_finger_drags_a_joint(phone):
    old = phone.result()
    phone.page.locator(".pe-canvas").scroll_into_view_if_needed()
    x, y = phone.joint("left_wrist")
    scrolled = phone.page.evaluate("window.scrollY")
    touch = phone.page.context.new_cdp_session(phone.page)

    def finger(kind: str, points: list[dict]) -> None:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    finger("touchStart", [{"x": x + 8, "y": y + 8}])  # fingers are not exact
    for share in (0.25, 0.5, 0.75, 1):
        finger("touchMove", [{"x": x + 8 - 20 * share, "y": y + 8 + 50 * share}])
        phone.page.wait_for_timeout(30)
    finger("touchEnd", [])
    phone.new_result(old)
    assert phone.page.evaluate("window.scrollY") == scrolled  # the page stayed while the joint moved
    assert phone.joint("left_wrist") == pytest.approx((x - 20, y + 50), abs=1.5)


def test_result_is_seen_while_the_joints_are_dragged(phone):
    result = phone.page.locator("#drawn img").bounding_box()
    editor = phone.page.locator(".pe-canvas").bounding_box()
    assert editor["y"] + editor["height"] - result["y"] <= PHONE["viewport"]["height"]
