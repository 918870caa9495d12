"""The demo's tabs of SPT in a real Chromium: opening, choosing SPT, swapping, trying on."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pgt.checkpoint import bundled_names
from tests.demo_tiny import make_large_studio
from tests.demo_visit import PATIENCE, WIDE, picture, served, visiting

pytestmark = pytest.mark.browser
pytest.importorskip("gradio", reason="the demo needs gradio")

TABS = ("Pose transfer", "Animate", "Edit the map", "Swap clothes", "Try on")
SIZE = (128, 128)


@pytest.fixture(scope="module")
def studio():
    return make_large_studio()


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


# What the demo really loads -------------------------------------------------------------------------------


def test_bundled_spt_fills_its_tabs(browser):
    import app

    if not bundled_names("spt"):
        pytest.skip("no weights of SPT are bundled")
    with served(app.make_studio()) as local, visiting(browser, local, WIDE) as visit:
        for name in TABS[1:]:
            visit.open_tab(name)
        source, redrawn = (picture(visit.result(place)) for place in ("#map-source", "#map-drawn"))
        assert (source != redrawn).any()
