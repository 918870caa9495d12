"""The demo's tabs of SPT in a real Chromium: painting by mouse, finger and keys, swapping, trying on."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from pgt.checkpoint import bundled_names
from pgt.config import PRESETS
from pgt.data.parsing import COLORS
from pgt.models.part_warp import PartWarp
from pgt.models.pg2 import PG2Generator
from pgt.models.spt import SPTGenerator
from pgt.predictor import Predictor
from tests.demo_visit import PATIENCE, PHONE, WIDE, Visit, picture, running_chromium, served, visiting
from tests.models.tiny_spt import TINY_SPT

pytestmark = pytest.mark.browser
pytest.importorskip("gradio", reason="the demo needs gradio")

TABS = ("Pose transfer", "Edit the map", "Swap clothes", "Try on")
SIZE = (128, 128)
UPPER, PANTS, SKIRT = 3, 4, 5
READ_CANVAS = """() => {
  const canvas = document.querySelector('.me-canvas');
  return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data];
}"""


@pytest.fixture(scope="module")
def studio():
    """Return a studio over a small untrained PG2 and a small untrained SPT: what is tested is the page."""
    from studio import Studio

    config = replace(PRESETS["pg2-synthetic-128"], base_channels=4, bottleneck_features=8)
    torch.manual_seed(0)
    pg2 = Predictor(PG2Generator.from_config(config), name="untrained")
    spt = Predictor(SPTGenerator.from_config(replace(TINY_SPT, image_size=SIZE)), name="untrained-spt")
    return Studio(pg2, Predictor(PartWarp()), spt=spt)


@pytest.fixture(scope="module")
def address(studio) -> Iterator[str]:
    with served(studio) as local:
        yield local


@pytest.fixture(scope="module")
def browser():
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture
def visit(browser, address) -> Iterator[Visit]:
    with visiting(browser, address, WIDE) as opened:
        yield opened


@pytest.fixture
def phone(browser, address) -> Iterator[Visit]:
    with visiting(browser, address, PHONE) as opened:
        yield opened


@pytest.fixture
def painting(visit) -> "Painting":
    return Painting(visit)


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


# The tabs -------------------------------------------------------------------------------------------------


def test_every_tab_draws_when_it_is_opened_and_keeps_what_it_shows(visit):
    places = {"Edit the map": "#map-drawn", "Swap clothes": "#swap-a-pair", "Try on": "#try-drawn"}
    shown = {}
    for name, place in places.items():
        assert visit.page.locator(f"{place} img").count() == 0
        visit.open_tab(name)
        shown[name] = visit.result(place)
        assert picture(shown[name]).shape == (*SIZE, 3)
    for name, place in places.items():
        visit.open_tab(name)
        assert visit.result(place) == shown[name]
    assert visit.page.locator(".toast-body").count() == 0


def test_spt_draws_the_pose_and_explains_itself(visit):
    old = visit.result()
    visit.page.locator("#approach label", has_text="SPT").click()
    by_spt = visit.new_result(old)
    visit.click("#steps button")
    visit.page.wait_for_selector("#steps img >> nth=6", timeout=PATIENCE)
    names = visit.page.locator("#steps figcaption b").all_inner_texts()
    assert names[2:] == ["Source map", "Predicted map", "Foreground", "Background", "Composite"]
    assert visit.result("#steps") == by_spt
    visit.page.wait_for_function(
        "document.querySelector('#compared').innerText.includes('PG2')", timeout=PATIENCE
    )
    visit.drag("left_wrist", 30, 60)
    visit.new_result(by_spt)
    visit.page.locator("#approach label", has_text="PG2").click()
    visit.page.wait_for_function(
        "document.querySelector('#steps').innerText.includes('Refined')", timeout=PATIENCE
    )


# Painting -------------------------------------------------------------------------------------------------


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


# Swapping and trying on -----------------------------------------------------------------------------------


def test_regions_and_people_are_swapped(visit):
    visit.open_tab("Swap clothes")
    first, second = (visit.result(f"#swap-{side}-pair") for side in "ab")
    visit.page.locator("#swap-regions label", has_text="Upper clothes").click()
    pants_only = visit.new_result(first, "#swap-a-pair")
    visit.new_result(second, "#swap-b-pair")
    visit.page.wait_for_selector("#swap-a-compared table", timeout=PATIENCE)
    visit.click("#swap-b-roll")
    visit.new_result(pants_only, "#swap-a-pair")


def test_no_region_at_all_is_told_in_one_sentence(visit):
    visit.open_tab("Swap clothes")
    old = visit.result("#swap-a-pair")
    for name in ("Upper clothes", "Pants"):
        visit.page.locator("#swap-regions label", has_text=name).click()
        old = visit.new_result(old, "#swap-a-pair")
    visit.page.locator("#swap-regions label", has_text="Skirt").click()
    assert "No region is chosen" in visit.told()


def test_products_clothes_and_cloth_are_tried_on(visit, tmp_path):
    visit.open_tab("Try on")
    visit.page.wait_for_selector("#try-compared table", timeout=PATIENCE)
    product = visit.result("#try-drawn")
    visit.click("#try-another")
    another = visit.new_result(product, "#try-drawn")
    visit.page.get_by_role("tab", name="Somebody's clothes").click()
    clothes = visit.new_result(another, "#try-drawn")
    assert visit.page.locator("#try-garment polygon").count() == 1
    visit.page.get_by_role("tab", name="Any cloth").click()
    cloth = visit.new_result(clothes, "#try-drawn")
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "cloth.png")
    visit.page.set_input_files("#try-cloth-picture input[type=file]", tmp_path / "cloth.png")
    visit.new_result(cloth, "#try-drawn")
    assert "Your picture" in visit.page.locator("#try-garment").inner_text()


def test_a_region_that_nobody_wears_is_told_in_one_sentence(visit):
    visit.open_tab("Try on")
    visit.page.get_by_role("tab", name="Any cloth").click()
    visit.page.wait_for_selector("#try-cloth-region", timeout=PATIENCE)
    visit.page.locator("#try-cloth-region label", has_text="Skirt").click()
    assert "has no skirt" in visit.told()


def test_photo_is_dressed(visit, studio, tmp_path, monkeypatch):
    somebody = studio.synthetic(77).person
    monkeypatch.setattr(studio, "_parsed", lambda person: replace(person, label_map=somebody.label_map))
    Image.fromarray(somebody.image).save(tmp_path / "photo.png")
    (tmp_path / "photo.json").write_text(somebody.pose.to_json())
    visit.open_tab("Try on")
    old = visit.result("#try-drawn")
    visit.page.locator("#try-choose").get_by_role("tab", name="Photo").click()
    files = visit.page.locator("#try-choose input[type=file]")
    files.nth(1).set_input_files(tmp_path / "photo.json")  # a field that has its file takes no other
    files.nth(0).set_input_files(tmp_path / "photo.png")
    visit.page.wait_for_selector("#try-choose .file-preview >> nth=1", timeout=PATIENCE)
    visit.click("#try-use-photo")
    visit.new_result(old, "#try-drawn")
    assert "Your photo" in visit.page.locator("#try-source").inner_text()


# A phone --------------------------------------------------------------------------------------------------


def test_all_tabs_fit_a_phone(phone):
    bar = phone.page.locator("#tabs > .tab-wrapper")
    heights = [bar.get_by_role("tab", name=name).bounding_box()["y"] for name in TABS]
    assert len(set(heights)) == 1
    for name in TABS:
        phone.open_tab(name)
        phone.page.wait_for_timeout(500)
        assert not phone.is_too_wide(), name


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


# What the demo really loads -------------------------------------------------------------------------------


def test_bundled_spt_fills_its_tabs(browser):
    import app

    if app.SPT_MODEL not in bundled_names():
        pytest.skip(f"the weights {app.SPT_MODEL} are not bundled")
    with served(app.make_studio()) as local, visiting(browser, local, WIDE) as visit:
        for name in TABS[1:]:
            visit.open_tab(name)
        source, redrawn = (picture(visit.result(place)) for place in ("#map-source", "#map-drawn"))
        assert (source != redrawn).any()
