"""The tabs "Swap clothes" and "Try on" without a browser: what is drawn, what a visitor is told."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.demo_tiny import LONG_SLEEVES, SKIRT_WEARER, T_SHIRT, TROUSERS, make_studio, one_sentence_of

gr = pytest.importorskip("gradio", reason="the demo needs gradio")

import handlers_swap  # noqa: E402
import handlers_try_on  # noqa: E402
import view  # noqa: E402
from handlers_map import MapHandlers  # noqa: E402
from studio import Studio  # noqa: E402
from tailor import PANTS, REGIONS, WHERE, Tailor  # noqa: E402

CHANGED, _ = WHERE


@pytest.fixture(scope="module")
def studio() -> Studio:
    return make_studio()


@pytest.fixture(scope="module")
def tailor(studio) -> Tailor:
    return Tailor(studio.spt)


@pytest.fixture(scope="module")
def mapper(studio, tailor) -> MapHandlers:
    return MapHandlers(studio, tailor, "CPU")


@pytest.fixture(scope="module")
def swapper(studio, tailor) -> handlers_swap.SwapHandlers:
    return handlers_swap.SwapHandlers(studio, tailor, "CPU")


@pytest.fixture(scope="module")
def dresser(studio, tailor) -> handlers_try_on.TryOnHandlers:
    return handlers_try_on.TryOnHandlers(studio, tailor, "CPU")


@pytest.mark.parametrize("index", range(len(handlers_swap.EXAMPLES)))
def test_every_example_of_the_swap_tab_works(swapper, index):
    first, second, _ = handlers_swap.EXAMPLES[index]
    session = swapper.use_example(first, second, list(REGIONS))[4]
    assert all(made.result.mask.any() for made in session.made)
    dresses = any(subject.specs[0].identity.dress for subject in session.subjects)
    for html in swapper.compare(session):
        assert ("no truth" in html) == dresses
        assert ("<table" in html) != dresses


def test_swap_tab_opens_only_once(swapper):
    opened = swapper.open(None, list(REGIONS))
    assert opened[0].count("<img") == len(handlers_swap.EXAMPLES)
    assert all(part == gr.skip() for part in swapper.open(opened[5], list(REGIONS)))


def test_one_side_changes_its_person_and_the_other_stays(swapper):
    session = swapper.use_example(*handlers_swap.EXAMPLES[0][:2], ["Pants"])[4]
    after, first, second = swapper.sides[1].render_person(T_SHIRT, "Studio", session, ["Pants"])
    assert after.subjects[0] is session.subjects[0]
    assert after.subjects[1] is not session.subjects[1]
    assert first.count("<figure") == second.count("<figure") == 2
    assert swapper.explain(after, True).count("<figure") == 7


def test_whoever_wears_none_of_it_is_told_so(swapper):
    people = ((T_SHIRT, "Studio"), (SKIRT_WEARER, "Studio"))
    session, first, second = swapper.use_example(*people, ["Skirt"])[4:]
    assert "Wears none of that" in first
    assert "Wears none of that" not in second
    assert swapper.compare(session)[0] == ""


@pytest.mark.parametrize("index", range(len(handlers_try_on.EXAMPLES)))
def test_every_example_of_the_try_on_tab_works(dresser, index):
    session = dresser.use_example(*handlers_try_on.EXAMPLES[index], True, False)[3]
    assert session.made.result.mask.any()
    assert dresser.compare(session).count("<tr>") == 4
    assert dresser.explain(session, True).count("<figure") == 6


def test_garment_stays_when_the_person_changes(dresser):
    session = dresser.use_example(*handlers_try_on.EXAMPLES[0], True, False)[3]
    after = dresser.render_person(T_SHIRT, "Room", session, True, True)[0]
    assert after.garment is session.garment
    number, other, *_ = dresser.another_product(after, True, False)
    assert other.garment.name.endswith(f"person {number}")


def test_clothes_of_others_and_any_cloth_are_tried_on(dresser, tmp_path):
    session = dresser.use_example(*handlers_try_on.EXAMPLES[0], True, False)[3]
    worn, _, figure, _ = dresser.wear_clothes(session, TROUSERS, "Studio", "Pants")
    assert worn.garment.label == PANTS
    assert "<polygon" in figure
    assert "no truth" in dresser.compare(worn)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 90, 3), np.uint8)).save(tmp_path / "a.png")
    own = dresser.wear_cloth(session, 1, str(tmp_path / "a.png"), "Upper clothes")[0]
    swatch = dresser.wear_cloth(session, 1, None, "Upper clothes")[0]
    assert own.garment.image.shape == (40, 90, 3)
    assert (own.made.result.image != swatch.made.result.image).any()


def test_a_large_picture_of_cloth_is_reduced(tailor, tmp_path):
    Image.new("RGB", (3000, 2000), "teal").save(tmp_path / "large.png")
    assert tailor.cloth(1, str(tmp_path / "large.png"), "Pants").image.shape == (341, 512, 3)


def test_landmarks_are_marked_on_the_product(dresser):
    session, _, figure, _ = dresser.use_example(*handlers_try_on.EXAMPLES[0], True, False)[3:]
    assert figure.count("<circle") == len(session.garment.product.landmarks)


def test_a_page_left_alone_says_so_in_one_sentence(mapper, swapper, dresser, studio):
    label_map = studio.synthetic(T_SHIRT).person.label_map
    for call in (
        lambda: mapper.release(None, label_map, CHANGED, True),
        lambda: mapper.premade(None, label_map, "Longer sleeves"),
        lambda: swapper.release(None, ["Pants"]),
        lambda: swapper.sides[0].render_person(1, "Studio", None, ["Pants"]),
        lambda: dresser.wear_product(None, 1, True, False),
        lambda: dresser.render_person(1, "Studio", None, True, False),
    ):
        with pytest.raises(gr.Error, match="left alone") as caught:
            call()
        one_sentence_of(caught)
    assert mapper.explain(None, True) == swapper.explain(None, True) == dresser.explain(None, True) == ""
    assert dresser.compare(None) == ""
    assert swapper.compare(None) == ("", "")


def test_what_visitors_get_wrong_is_one_sentence(mapper, swapper, dresser, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    session = dresser.use_example(*handlers_try_on.EXAMPLES[0], True, False)[3]
    painting = mapper.render_person(T_SHIRT, "Studio", CHANGED, True)[0]
    for call in (
        lambda: mapper.render_person(-1, "Studio", CHANGED, True),
        lambda: mapper.render_person(1, "Moon", CHANGED, True),
        lambda: mapper.release(painting, painting.person.label_map, "Nothing", True),
        lambda: mapper.use_photo(None, None, CHANGED, True),
        lambda: swapper.use_example((1, "Studio"), (2, "Studio"), []),
        lambda: dresser.wear_product(session, -1, True, False),
        lambda: dresser.wear_clothes(session, T_SHIRT, "Studio", "Skirt"),
        lambda: dresser.wear_clothes(session, T_SHIRT, "Studio", "Hat"),
        lambda: dresser.wear_cloth(session, 1, None, "Skirt"),  # the person wears none
        lambda: dresser.wear_cloth(session, 1, str(tmp_path / "text.png"), "Pants"),
    ):
        with pytest.raises(gr.Error) as caught:
            call()
        assert one_sentence_of(caught)[0].isupper()


def test_program_can_swap_and_try_on(swapper, dresser, studio):
    swapped = swapper.api_swap_clothes(T_SHIRT, "Studio", TROUSERS, "Room", ["Pants"])
    tried = dresser.api_try_on_product(T_SHIRT, "Studio", LONG_SLEEVES)
    styled = dresser.api_try_on_style(T_SHIRT, "Studio", view.picture_address(studio.portrait(1, "Room")))
    assert set(swapped) == {"first", "second", "milliseconds"}
    assert set(tried) == {"picture", "product", "milliseconds"}
    assert set(styled) == {"picture", "milliseconds"}
    assert json.dumps([swapped, tried, styled])


@pytest.mark.parametrize("picture", ["", "%%%", "aGVsbG8=", 5, None])
def test_bad_pictures_of_programs_are_refused(dresser, picture):
    with pytest.raises(gr.Error) as caught:
        dresser.api_try_on_style(T_SHIRT, "Studio", picture)
    one_sentence_of(caught)
