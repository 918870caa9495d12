"""All four approaches in a real Chromium: side by side, rounds, levels, whole bodies moved."""

import numpy as np
import pytest

from pgt.data.pose import JOINTS
from tests.demo_tiny import make_full_studio
from tests.demo_visit import PATIENCE, Visit, picture

pytestmark = pytest.mark.browser
pytest.importorskip("gradio", reason="the demo needs gradio")

SIZE = (128, 128)
NAMES = ["PG2", "SPT", "MR-Net", "Progressive"]
CENTER = [JOINTS.index(name) for name in ("neck", "right_hip", "left_hip")]
EXAMPLE = 6  # the first non-iconic one


@pytest.fixture(scope="module")
def studio():
    return make_full_studio(SIZE)


def wait_for(visit: Visit, condition: str, argument: object = None) -> None:
    visit.page.wait_for_function(condition, arg=argument, timeout=PATIENCE)


def spots(visit: Visit) -> np.ndarray:
    """Return all joints as (18, 2) pixels, rounded."""
    return np.array([visit.spot(name) for name in JOINTS])


def joints_sent(studio, monkeypatch) -> list[np.ndarray]:
    """Return a list that fills with the joints (18, 2) of every pose that the server draws from now on."""
    sent, draw = [], studio.draw

    def watched(subject, pose, *how):
        sent.append(pose.keypoints)
        return draw(subject, pose, *how)

    monkeypatch.setattr(studio, "draw", watched)
    return sent


def drag_handle(visit: Visit, name: str, dx: float, dy: float) -> None:
    visit.page.locator(".pe-canvas").scroll_into_view_if_needed()
    box = visit.page.locator(f"[data-handle={name}] .pe-knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    visit.page.mouse.move(x, y)
    visit.page.mouse.down()
    visit.page.mouse.move(x + dx / 2, y + dy / 2, steps=4)
    visit.page.mouse.move(x + dx, y + dy, steps=4)
    visit.page.mouse.up()


# Side by side -----------------------------------------------------------------------------------------------


def test_all_four_come_one_after_the_other(visit, studio):
    seen = "() => document.querySelectorAll('#drawn .pgt-all figure').length"
    visit.page.evaluate(
        f"window.counts = []; setInterval(() => window.counts.push(({seen})()), 5); undefined"
    )
    visit.page.locator("#approach label", has_text="All four").click()
    wait_for(visit, f"() => ({seen})() === 6")
    counts = visit.page.evaluate("window.counts")
    assert sorted(counts) == counts
    assert len(set(counts) - {0}) >= 3  # streamed, not all at once
    captions = visit.page.locator("#drawn figcaption b").all_inner_texts()
    assert captions == [*NAMES, "Part warp", "Truth"]
    assert visit.page.locator("#drawn .pgt-time").count() == 5
    assert visit.page.locator("#drawn .pgt-data").count() == 6
    visit.page.wait_for_selector("#compared table", timeout=PATIENCE)
    pictures = [picture(image.get_attribute("src")) for image in visit.page.locator("#drawn img").all()]
    assert all(one.shape == (*SIZE, 3) for one in pictures)


def test_all_four_follow_a_drag(visit, studio, monkeypatch):
    visit.page.locator("#approach label", has_text="All four").click()
    wait_for(visit, "() => document.querySelectorAll('#drawn figure').length === 6")
    truth, drawn, draw = visit.result(), {}, studio.draw

    def watched(subject, pose, name, *rounds):
        drawn[name] = draw(subject, pose, name, *rounds)
        return drawn[name]

    monkeypatch.setattr(studio, "draw", watched)
    visit.drag("left_wrist", 30, 60)
    wait_for(
        visit,
        """old => {
          const images = [...document.querySelectorAll('#drawn img')];
          return images.length === 6 && images.at(-1).src !== old;
        }""",
        truth,
    )
    shown = [picture(image.get_attribute("src")) for image in visit.page.locator("#drawn img").all()]
    assert list(drawn) == NAMES
    for one, prediction in zip(shown, drawn.values(), strict=False):
        np.testing.assert_array_equal(one, prediction.image)


def test_hasty_visitors_lose_nothing(visit):
    """Drag on while the last drag's comparison is still being drawn: it is overtaken, nothing vanishes."""
    for dx in (20, -30, 25, -20):
        old = visit.result()
        visit.drag("left_wrist", dx, 10)
        assert visit.new_result(old).startswith("data:image/png")
    visit.page.wait_for_timeout(500)
    assert visit.page.locator("#drawn img").count() == 1
    wait_for(visit, "() => document.querySelectorAll('#compared img').length === 5")


def test_rounds_are_a_slider_of_mrnet_alone_and_change_the_picture(visit):
    assert visit.page.locator("#rounds").count() == 0
    old = visit.result()
    visit.page.locator("#approach label", has_text="MR-Net").click()
    two = visit.new_result(old)
    visit.page.wait_for_selector("#rounds input[type=range]", timeout=PATIENCE)
    assert visit.page.locator("#drawn .pgt-series figure").count() == 2  # as these weights were made to
    slider = visit.page.locator("#rounds input[type=range]")
    slider.focus()
    for _ in range(3):
        visit.page.keyboard.press("ArrowRight")
    wait_for(visit, "() => document.querySelectorAll('#drawn .pgt-series figure').length === 5")
    assert visit.result() != two
    visit.page.locator("#approach label", has_text="PG2").click()
    visit.page.wait_for_selector("#rounds", state="detached", timeout=PATIENCE)


def test_levels_of_progressive_are_shown_coarse_to_fine(visit):
    old = visit.result()
    visit.page.locator("#approach label", has_text="Progressive").click()
    visit.new_result(old)
    assert visit.page.locator("#drawn .pgt-series b").all_inner_texts() == [
        "32 × 32",
        "64 × 64",
        "128 × 128",
    ]
    levels = [picture(one.get_attribute("src")) for one in visit.page.locator(".pgt-series img").all()]
    assert [level.shape[0] for level in levels] == [32, 64, 128]


# Whole bodies -----------------------------------------------------------------------------------------------


def test_whole_body_is_dragged_through_the_scene(visit, studio, monkeypatch):
    old = visit.result()
    visit.click(f"#examples [data-index='{EXAMPLE}']")
    start = visit.new_result(old)
    visit.page.wait_for_timeout(500)
    sent = joints_sent(studio, monkeypatch)
    before = spots(visit)
    drag_handle(visit, "move", -60, 30)
    moved = visit.new_result(start)
    after = spots(visit)
    by = after - before
    pixel = visit.page.locator(".pe-canvas").bounding_box()["width"] / SIZE[1]
    np.testing.assert_allclose(by, np.tile([-60 / pixel, 30 / pixel], (len(JOINTS), 1)), atol=1)
    assert any(np.abs(pose - after).max() <= 0.51 for pose in sent)  # the server draws what the page shows
    drawn = picture(moved)
    assert (drawn != picture(start)).any()
    visit.click("[data-act=undo]")
    assert visit.new_result(moved) == start
    np.testing.assert_array_equal(spots(visit), before)


def test_body_is_taken_by_its_trunk(visit):
    visit.click("[data-preset=Standing]")
    visit.page.wait_for_timeout(1000)
    old, before = visit.result(), spots(visit)
    corners = [visit.joint(f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "hip")]
    x, y = np.mean(corners, axis=0)
    visit.page.mouse.move(x, y)
    visit.page.mouse.down()
    visit.page.mouse.move(x + 20, y - 10, steps=4)
    visit.page.mouse.up()
    visit.new_result(old)
    by = spots(visit) - before
    assert (np.abs(by - by[0]) <= 1).all()
    assert by[0][0] > 0


def test_nobody_can_leave_the_picture(visit):
    for way in ((-3000, 0), (3000, 3000), (0, -3000)):
        drag_handle(visit, "move", *way)
        visit.page.wait_for_timeout(200)
        x, y = spots(visit)[CENTER].mean(axis=0)
        assert -1 <= x <= SIZE[1]
        assert -1 <= y <= SIZE[0]
        handle = visit.page.locator("[data-handle=move] .pe-knob").bounding_box()
        canvas = visit.page.locator(".pe-canvas").bounding_box()
        assert canvas["x"] <= handle["x"] + handle["width"] / 2 <= canvas["x"] + canvas["width"]
        assert canvas["y"] <= handle["y"] + handle["height"] / 2 <= canvas["y"] + canvas["height"]


def test_keys_move_and_resize_the_whole_body(visit):
    old, before = visit.result(), spots(visit)
    visit.page.locator("[data-handle=move]").focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowUp"):
        visit.page.keyboard.press(key)
    moved = visit.new_result(old)
    np.testing.assert_allclose(spots(visit) - before, np.tile([2, -8], (len(JOINTS), 1)), atol=1)
    before = spots(visit)
    visit.page.locator("[data-handle=scale]").focus()
    for _ in range(2):
        visit.page.keyboard.press("Shift+ArrowDown")
    visit.new_result(moved)
    after = spots(visit)
    wanted = before[CENTER].mean(axis=0) + 1.02**-16 * (before - before[CENTER].mean(axis=0))
    np.testing.assert_allclose(after, wanted, atol=1.5)


def test_body_is_resized_by_its_handle(visit):
    old, before = visit.result(), spots(visit)
    middle = before[CENTER].mean(axis=0)
    box = visit.page.locator(".pe-canvas").bounding_box()
    handle = visit.page.locator("[data-handle=scale] .pe-knob").bounding_box()
    center = box["x"] + middle[0] * box["width"] / SIZE[1], box["y"] + middle[1] * box["height"] / SIZE[0]
    away = handle["x"] + handle["width"] / 2 - center[0], handle["y"] + handle["height"] / 2 - center[1]
    drag_handle(visit, "scale", -0.4 * away[0], -0.4 * away[1])
    visit.new_result(old)
    ratio = np.ptp(spots(visit), axis=0) / np.ptp(before, axis=0)
    np.testing.assert_allclose(ratio, 0.6, atol=0.04)


# A phone ----------------------------------------------------------------------------------------------------


def test_all_four_fit_a_phone(phone):
    phone.page.locator("#approach label", has_text="All four").click()
    wait_for(phone, "() => document.querySelectorAll('#drawn figure').length === 6")
    assert not phone.is_too_wide()
    widths = [image.bounding_box()["width"] for image in phone.page.locator("#drawn img").all()]
    assert min(widths) > 120


def test_finger_moves_the_whole_body(phone):
    old, before = phone.result(), spots(phone)
    phone.page.locator(".pe-canvas").scroll_into_view_if_needed()
    box = phone.page.locator("[data-handle=move] .pe-knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    scrolled = phone.page.evaluate("window.scrollY")
    touch = phone.page.context.new_cdp_session(phone.page)
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x - 10, "y": y + 12}]),
        ("touchMove", [{"x": x - 20, "y": y + 24}]),
        ("touchEnd", []),
    ):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        phone.page.wait_for_timeout(30)
    phone.new_result(old)
    assert phone.page.evaluate("window.scrollY") == scrolled
    by = spots(phone) - before
    assert (np.abs(by - by[0]) <= 1).all()
    assert by[0][0] < 0 < by[0][1]
