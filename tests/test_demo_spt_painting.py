"""Painting a semantic map in a real Chromium: by mouse, by keys, by finger on a phone."""

import numpy as np
import pytest

from pgt.data.parsing import COLORS
from tests.demo_tiny import make_large_studio
from tests.demo_visit import PATIENCE, PHONE, Visit, picture

pytestmark = pytest.mark.browser
pytest.importorskip("gradio", reason="the demo needs gradio")

SIZE = (128, 128)
PANTS, SKIRT = 4, 5
READ_CANVAS = """() => {
  const canvas = document.querySelector('.me-canvas');
  return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data];
}"""


class Painting:
    """The map editor on an open page."""

    def __init__(self, visit: Visit) -> None:
        visit.open_tab("Edit the map")
        self.visit, self.page = visit, visit.page

    def labels(self) -> np.ndarray:
        """Return the labels of all pixels, by their colours on the canvas."""
        pixels = np.array(self.page.evaluate(READ_CANVAS), np.int64).reshape(*SIZE, 4)
        assert (pixels[..., 3] == 255).all()
        away = np.abs(pixels[..., None, :3] - COLORS.astype(np.int64)).sum(axis=-1)
        assert (away.min(axis=-1) == 0).all()
        return away.argmin(axis=-1)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where the middle of a pixel of the map is on the screen, scrolling there if need be."""
        self.page.locator(".me-canvas").scroll_into_view_if_needed()
        box = self.page.locator(".me-canvas").bounding_box()
        return box["x"] + (x + 0.5) / SIZE[1] * box["width"], box["y"] + (y + 0.5) / SIZE[0] * box["height"]

    def stroke(self, *points: tuple[float, float]) -> None:
        """Paint along pixels of the map."""
        self.page.mouse.move(*self.at(*points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.at(*point), steps=6)
        self.page.mouse.up()

    def choose(self, label: int) -> None:
        self.visit.click(f"[data-label='{label}']")

    def brush(self, size: int) -> None:
        self.page.locator(".me-size input").fill(str(size))

    def result(self) -> str:
        return self.visit.result("#map-drawn")

    def new_result(self, old: str) -> str:
        return self.visit.new_result(old, "#map-drawn")


@pytest.fixture(scope="module")
def studio():
    return make_large_studio()


@pytest.fixture
def painting(visit) -> Painting:
    return Painting(visit)


def test_a_stroke_paints_where_the_mouse_was(painting):
    before, old = painting.labels(), painting.result()
    painting.choose(SKIRT)
    painting.brush(5)
    painting.stroke((40, 20), (90, 20))
    assert picture(painting.new_result(old)).shape == (*SIZE, 3)
    after = painting.labels()
    rows, columns = np.nonzero(after != before)
    assert (after[20, 40:91] == SKIRT).all()
    assert (after[after != before] == SKIRT).all()
    assert (rows.min(), rows.max()) == (18, 22)  # five pixels wide
    assert (columns.min(), columns.max()) == (38, 92)  # with round ends


def test_server_gets_the_painted_map_once(painting, monkeypatch):
    from tailor import Tailor

    seen = []
    redraw = Tailor.redraw

    def watched(self, subject, label_map, where, **settings):
        seen.append((label_map, redraw(self, subject, label_map, where, **settings)))
        return seen[-1][1]

    monkeypatch.setattr(Tailor, "redraw", watched)
    old = painting.result()
    painting.choose(PANTS)
    painting.stroke((50, 60), (70, 70), (60, 90))
    new = painting.new_result(old)
    assert len(seen) == 1  # when the button is released, not on every move
    np.testing.assert_array_equal(seen[0][0], painting.labels())
    np.testing.assert_array_equal(picture(new), seen[0][1].result.image)


def test_undo_redo_and_reset(painting):
    start, first = painting.labels(), painting.result()
    painting.stroke((30, 30), (60, 90))
    second, painted = painting.new_result(first), painting.labels()
    painting.visit.click("#map-editor [data-act=undo]")
    assert painting.new_result(second) == first
    np.testing.assert_array_equal(painting.labels(), start)
    painting.visit.click("#map-editor [data-act=redo]")
    assert painting.new_result(first) == second
    np.testing.assert_array_equal(painting.labels(), painted)
    painting.visit.click("#map-editor [data-act=reset]")
    own = painting.new_result(second)
    np.testing.assert_array_equal(picture(own), picture(painting.visit.result("#map-source")))


def test_fill_takes_a_whole_region(painting):
    before, old = painting.labels(), painting.result()
    rows, columns = np.nonzero(before == PANTS)
    row, column = int(np.median(rows)), int(columns[rows == np.median(rows)][0])
    painting.choose(SKIRT)
    painting.visit.click("[data-tool=fill]")
    painting.page.mouse.click(*painting.at(column, row))
    painting.new_result(old)
    after = painting.labels()
    assert after[row, column] == SKIRT
    assert (before[after != before] == PANTS).all()
    assert (after == SKIRT).sum() > 0.8 * (before == PANTS).sum()


def test_keys_paint_as_well(painting):
    before, old = painting.labels(), painting.result()
    page = painting.page
    painting.brush(1)
    page.locator(".me-canvas").focus()
    page.keyboard.press(str(SKIRT))
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.down(" ")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.up(" ")
    painting.new_result(old)
    changed = np.argwhere(painting.labels() != before)
    assert len(changed) == 4
    assert len(set(changed[:, 0])) == 1
    assert (painting.labels()[tuple(changed.T)] == SKIRT).all()
    page.keyboard.press("Control+z")  # the whole series is one edit
    page.wait_for_timeout(300)
    np.testing.assert_array_equal(painting.labels(), before)


def test_brackets_and_letters_choose_brush_and_tool(painting):
    page = painting.page
    page.locator(".me-canvas").focus()
    size = int(page.locator(".me-size input").input_value())
    page.keyboard.press("]")
    page.keyboard.press("]")
    page.keyboard.press("[")
    assert int(page.locator(".me-size input").input_value()) == size + 1
    page.keyboard.press("f")
    assert page.locator("[data-tool=fill]").get_attribute("aria-pressed") == "true"
    page.keyboard.press("b")
    assert page.locator("[data-tool=brush]").get_attribute("aria-pressed") == "true"


def test_alt_picks_the_label_under_the_brush(painting):
    before = painting.labels()
    row, column = np.argwhere(before == PANTS)[0]
    painting.page.keyboard.down("Alt")
    painting.page.mouse.click(*painting.at(column, row))
    painting.page.keyboard.up("Alt")
    assert painting.page.locator(f"[data-label='{PANTS}']").get_attribute("aria-pressed") == "true"
    np.testing.assert_array_equal(painting.labels(), before)


def test_person_or_result_lies_under_the_map(painting):
    under = painting.page.locator(".me-under")
    assert not under.is_visible()
    painting.visit.click("#map-editor [data-under=source]")
    source = under.get_attribute("src")
    painting.visit.click("#map-editor [data-under=result]")
    assert under.get_attribute("src") != source
    assert min(painting.page.evaluate(READ_CANVAS)[3::4]) == 0  # the background is seen through


def test_ready_made_edit_and_back(painting):
    before, old = painting.labels(), painting.result()
    painting.visit.click("[data-edit='Pants to skirt']")
    edited = painting.new_result(old)
    assert (painting.labels() == SKIRT).any()
    painting.visit.click("#map-editor [data-act=undo]")
    assert painting.new_result(edited) == old
    np.testing.assert_array_equal(painting.labels(), before)


def test_an_edit_without_effect_is_told_in_one_sentence(painting):
    painting.visit.click("[data-edit='Shorter sleeves']")  # the tab opens with short ones
    assert "changes nothing" in painting.visit.told()


def test_the_whole_person_is_redrawn_on_request(painting):
    old = painting.result()
    painting.page.locator("#map-where label", has_text="The whole person").click()
    painting.new_result(old)


def test_another_person_brings_another_map_and_nothing_to_undo(painting):
    before, old = painting.labels(), painting.result()
    painting.stroke((30, 30), (60, 90))
    second = painting.new_result(old)
    painting.visit.click("#map-examples [data-index='2']")
    painting.new_result(second)
    assert (painting.labels() != before).any()
    assert painting.page.locator("#map-editor [data-act=undo]").is_disabled()
    painting.visit.click("#map-roll")
    painting.page.wait_for_timeout(300)


def test_steps_of_the_map_tab_follow(painting):
    painting.visit.click("#map-steps button")
    painting.page.wait_for_selector("#map-steps img >> nth=6", timeout=PATIENCE)
    old = painting.visit.result("#map-steps")
    painting.stroke((30, 30), (60, 90))
    painting.visit.new_result(old, "#map-steps")


# A phone --------------------------------------------------------------------------------------------------


def test_finger_paints(phone):
    painting = Painting(phone)
    before, old = painting.labels(), painting.result()
    painting.choose(SKIRT)
    painting.page.locator(".me-canvas").scroll_into_view_if_needed()
    scrolled = painting.page.evaluate("window.scrollY")
    touch = painting.page.context.new_cdp_session(painting.page)

    def finger(kind: str, *places: tuple[float, float]) -> None:
        points = [dict(zip("xy", painting.at(*place), strict=True)) for place in places]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    finger("touchStart", (64, 30))
    for row in (45, 60, 75, 90):
        finger("touchMove", (64, row))
        painting.page.wait_for_timeout(30)
    finger("touchEnd")
    painting.new_result(old)
    assert painting.page.evaluate("window.scrollY") == scrolled  # the page stayed while the finger painted
    assert (painting.labels()[30:91, 64] == SKIRT).all()
    assert (painting.labels() != before).sum() > 100


def test_result_is_seen_while_the_map_is_painted(phone):
    phone.open_tab("Edit the map")
    result = phone.page.locator("#map-drawn img").bounding_box()
    canvas = phone.page.locator(".me-canvas").bounding_box()
    assert canvas["y"] + canvas["height"] - result["y"] <= PHONE["viewport"]["height"]
