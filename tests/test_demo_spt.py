"""The demo with SPT and without, no browser needed: the choice of approach, the page, the weights."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pgt.checkpoint import CheckpointError, save
from pgt.config import HumanParserConfig
from pgt.models.human_parser import HumanParser
from pgt.models.part_warp import PartWarp
from pgt.models.spt import SPTGenerator
from pgt.predictor import PARSER, Predictor
from tests.demo_tiny import SIZE, make_pg2, make_spt, make_studio
from tests.models.tiny_spt import TINY_SPT

gr = pytest.importorskip("gradio", reason="the demo needs gradio")

import app  # noqa: E402
import page  # noqa: E402
import weights  # noqa: E402
from handlers import Handlers  # noqa: E402
from handlers_map import MapHandlers  # noqa: E402
from steps import explain  # noqa: E402
from studio import Studio, Subject  # noqa: E402
from tailor import WHERE, Tailor  # noqa: E402

OF_POSES = {"/render_person", "/generate", "/generate_from_photo"}
OF_SPT = {"/label_map", "/redraw", "/swap_clothes", "/try_on_product", "/try_on_style"}


@pytest.fixture(scope="module")
def studio() -> Studio:
    return make_studio()


@pytest.fixture(scope="module")
def tailor(studio) -> Tailor:
    return Tailor(studio.spt)


@pytest.fixture(scope="module")
def without_spt() -> Studio:
    return Studio(Predictor(make_pg2(), name="tiny"), Predictor(PartWarp()))


@pytest.fixture
def photo(studio, tmp_path) -> tuple[str, str]:
    """Return the files of a photo and of its joints."""
    somebody = studio.synthetic(9).person.resized((256, 256))
    Image.fromarray(somebody.image).save(tmp_path / "photo.png")
    (tmp_path / "photo.json").write_text(somebody.pose.to_json())
    return str(tmp_path / "photo.png"), str(tmp_path / "photo.json")


@pytest.fixture
def no_parser(monkeypatch):
    """Take the human parser's weights away."""
    monkeypatch.setattr("pgt.predictor.PARSER", "no-such-parser")


@pytest.fixture
def any_parser(tmp_path, monkeypatch):
    """Put an untrained human parser where the library looks first."""
    parser = HumanParser.from_config(HumanParserConfig(widths=(4, 6)))
    save(parser, tmp_path / "checkpoints" / PARSER)
    monkeypatch.setenv("PGT_CHECKPOINTS", str(tmp_path / "checkpoints"))


def test_spt_draws_when_it_is_chosen(studio):
    subject = studio.synthetic(5)
    by_pg2, by_spt = (studio.draw(subject, subject.start, name) for name in ("PG2", "SPT"))
    assert list(studio.approaches) == ["PG2", "SPT"]
    assert by_pg2.label_map is None
    assert by_spt.label_map.shape == SIZE
    np.testing.assert_array_equal(studio.draw(subject, subject.start).image, by_pg2.image)


def test_an_spt_as_the_only_model_serves_all_tabs():
    alone = Studio(Predictor(make_spt(), name="tiny-spt"), Predictor(PartWarp()))
    assert list(alone.approaches) == ["SPT"]
    assert alone.spt is alone.predictor


def test_steps_of_spt_are_its_maps_and_layers(studio):
    subject = studio.synthetic(5)
    prediction = studio.draw(subject, subject.start, "SPT")
    steps = explain(prediction)
    names = [name for _, name, _ in steps]
    assert names[2:] == ["Source map", "Predicted map", "Foreground", "Background", "Composite"]
    np.testing.assert_array_equal(steps[-1][0], prediction.image)
    assert all(picture.shape == (*SIZE, 3) and picture.dtype == np.uint8 for picture, _, _ in steps)


def test_comparison_shows_the_other_approach_as_well(studio):
    subject = studio.synthetic(5)
    drawn = {"SPT": studio.draw(subject, subject.start, "SPT")}
    drawn |= dict(studio.draw_others(subject, subject.start, "SPT"))
    comparison = studio.compare(subject, subject.start, drawn)
    assert list(comparison.scores) == ["tiny-spt", "tiny", "Part warp", "Copy of source"]


def test_session_remembers_the_approach(studio):
    handlers = Handlers(studio, "CPU")
    session = handlers.render_person(5, "Studio", "SPT")[0]
    assert session.approach == "SPT"
    assert "pgt-legend" in handlers.explain(session, True)
    after = handlers.release(session, session.subject.person.pose, "PG2")[0]
    assert after.prediction.label_map is None
    assert "pgt-legend" not in handlers.explain(after, True)


def test_a_frame_of_another_size_is_no_hindrance():
    spt = Predictor(SPTGenerator.from_config(TINY_SPT), name="tiny-spt")
    mixed = Studio(Predictor(make_pg2(), name="tiny"), Predictor(PartWarp()), others=[spt])
    subject = mixed.synthetic(5)
    prediction = mixed.draw(subject, subject.start, "SPT")
    comparison = mixed.compare(subject, subject.start, {"SPT": prediction})
    assert prediction.image.shape == (*TINY_SPT.image_size, 3)
    assert comparison.truth.image.shape == (*SIZE, 3)
    person = Tailor(spt).person(subject)
    assert person.label_map.shape == TINY_SPT.image_size


def test_photo_gets_a_map_from_the_parser(studio, photo, any_parser):
    fresh = Studio(studio.predictor, studio.baseline, others=[Predictor(make_spt())])
    subject = fresh.photo(*photo)
    assert subject.person.label_map.shape == SIZE
    assert fresh.draw(subject, subject.start, "SPT").label_map is not None


def test_photo_can_be_painted(studio, photo, any_parser):
    fresh = Studio(studio.predictor, studio.baseline, others=[Predictor(make_spt())])
    handlers = MapHandlers(fresh, Tailor(fresh.spt), "CPU")
    session, source, *_ = handlers.use_photo(*photo, next(iter(WHERE)), True)
    assert "Your photo" in source
    assert session.person.label_map.shape == SIZE


def test_without_the_parser_pg2_still_draws_a_photo(studio, photo, no_parser):
    fresh = Studio(studio.predictor, studio.baseline, others=[Predictor(make_spt())])
    subject = fresh.photo(*photo)
    assert fresh.draw(subject, subject.start).image.shape == (*SIZE, 3)
    assert list(fresh.draw_others(subject, subject.start)) == []
    with pytest.raises(ValueError, match="weights of the human parser"):
        fresh.draw(subject, subject.start, "SPT")
    with pytest.raises(ValueError, match="weights of the human parser"):
        Tailor(fresh.spt).person(subject)


def test_a_photo_that_shows_nobody_is_refused(studio, tailor):
    person = studio.synthetic(5).person
    blank = Subject(replace(person, label_map=np.zeros(SIZE, np.uint8)), person.pose, {})
    with pytest.raises(ValueError, match="finds nobody"):
        tailor.person(blank)


# The page -------------------------------------------------------------------------------------------------


def texts(demo: gr.Blocks) -> str:
    """Return all texts of a page that are there when it opens."""
    values = [part["props"].get("value") for part in demo.get_config_file()["components"]]
    return " ".join(value for value in values if isinstance(value, str))


def test_with_spt_its_endpoints_are_named_and_documented(studio):
    demo = page.create_demo(studio, "CPU")
    endpoints = demo.get_api_info()["named_endpoints"]
    assert set(endpoints) == OF_POSES | OF_SPT
    assert page.NO_SPT not in texts(demo)


def test_without_spt_its_tabs_say_so_in_one_sentence(without_spt):
    demo = page.create_demo(without_spt, "CPU")
    assert set(demo.get_api_info()["named_endpoints"]) == OF_POSES
    assert texts(demo).count(page.NO_SPT) == len(page.SPT_TABS)
    assert page.NO_SPT.count(". ") == 0


def test_tabs_of_spt_travel_empty(studio):
    """What a tab shows is drawn when it is first opened, so the page stays light."""
    config = page.create_demo(studio, "CPU").get_config_file()
    values = {part["props"].get("elem_id"): part["props"].get("value") for part in config["components"]}
    for name in ("map-source", "map-drawn", "map-examples", "swap-a-pair", "try-garment", "try-examples"):
        assert "<img" not in values[name]
    assert values["map-editor"] is None


def test_missing_spt_is_no_hindrance_but_a_named_one_is(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "found", lambda approach: None)
    assert weights.load("SPT", None, "cpu") is None
    with pytest.raises(CheckpointError, match="There is no checkpoint"):
        weights.load("SPT", str(tmp_path / "nothing"), "cpu")


def test_weights_of_another_approach_are_no_spt(tiny_checkpoint):
    with pytest.raises(CheckpointError, match="are not SPT's"):
        weights.load("SPT", str(tiny_checkpoint), "cpu")


def test_saved_weights_serve_the_page(monkeypatch, tiny_checkpoint, tmp_path):
    monkeypatch.setattr(weights, "found", lambda approach: None)
    save(make_spt(), tmp_path / "spt")
    studio = app.make_studio(str(tiny_checkpoint), "cpu", {"SPT": str(tmp_path / "spt")})
    assert list(studio.approaches) == ["PG2", "SPT"]
    alone = app.make_studio(str(tmp_path / "spt"), "cpu", {"SPT": "not-even-read"})
    assert list(alone.approaches) == ["SPT"]


@pytest.mark.slow
def test_programs_reach_every_endpoint(studio):
    client_module = pytest.importorskip("gradio_client")
    demo = page.create_demo(studio, "CPU")
    app.launch(demo, server_port=app.free_port(), prevent_thread_lock=True, quiet=True)
    try:
        client = client_module.Client(demo.local_url, verbose=False)
        who = {"seed": 41, "scene": "Studio"}
        person = client.predict(**who, api_name="/label_map")
        shorter = person["edits"]["Shorter sleeves"]
        answers = [
            client.predict(**who, label_map=shorter, api_name="/redraw"),
            client.predict(**who, product=0, api_name="/try_on_product"),
            client.predict(**who, picture=person["picture"], api_name="/try_on_style"),
        ]
        assert all(answer["picture"].startswith("data:image/png") for answer in answers)
        two = {"first_seed": 41, "first_scene": "Studio", "second_seed": 0, "second_scene": "Room"}
        swapped = client.predict(**two, regions=["Pants"], api_name="/swap_clothes")
        assert swapped["first"] != swapped["second"]
        with pytest.raises(client_module.exceptions.AppError, match="runs cover"):
            client.predict(**who, label_map={**shorter, "runs": "0*1"}, api_name="/redraw")
    finally:
        demo.close()
