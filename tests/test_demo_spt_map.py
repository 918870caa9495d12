"""The tab "Edit the map" without a browser: the editor's value, what is drawn, what a visitor is told."""

import json

import numpy as np
import pytest

from pgt.predictor import Predictor
from tests.demo_tiny import LONG_SLEEVES, T_SHIRT, make_spt, make_studio, one_sentence_of

gr = pytest.importorskip("gradio", reason="the demo needs gradio")

import map_editor  # noqa: E402
from handlers_map import EXAMPLES, MapHandlers  # noqa: E402
from studio import Studio  # noqa: E402
from tailor import EDITS, SKIRT, WHERE, Tailor  # noqa: E402

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


# The map editor's value -----------------------------------------------------------------------------------


def test_value_and_map_are_a_round_trip():
    random = np.random.default_rng(0)
    for labels in (
        random.integers(0, 10, (5, 7), dtype=np.uint8),
        np.zeros((3, 4), np.uint8),
        np.arange(10, dtype=np.uint8)[None],
        np.array([[9]], np.uint8),
    ):
        value = json.loads(json.dumps(map_editor.map_to_value(labels)))
        read = map_editor.value_to_map(value)
        np.testing.assert_array_equal(read, labels)
        assert read.dtype == np.uint8


def test_runs_are_written_row_by_row():
    labels = np.array([[0, 0, 3], [3, 3, 0]], np.uint8)
    assert map_editor.map_to_value(labels) == {"image_size": [2, 3], "runs": "0*2 3*3 0*1"}


BAD_MAPS = {
    "nothing": None,
    "text": "0*6",
    "list": [0] * 6,
    "empty": {},
    "no runs": {"image_size": [2, 3]},
    "runs are a list": {"image_size": [2, 3], "runs": [0] * 6},
    "empty runs": {"image_size": [2, 3], "runs": ""},
    "too few pixels": {"image_size": [2, 3], "runs": "0*5"},
    "too many pixels": {"image_size": [2, 3], "runs": "0*7"},
    "a huge run": {"image_size": [2, 3], "runs": "0*9999999"},
    "an endless number": {"image_size": [2, 3], "runs": "0*" + "9" * 20},
    "an empty run": {"image_size": [2, 3], "runs": "0*6 1*0"},
    "label 10": {"image_size": [2, 3], "runs": "10*6"},
    "negative label": {"image_size": [2, 3], "runs": "-1*6"},
    "negative length": {"image_size": [2, 3], "runs": "0*-6"},
    "fraction": {"image_size": [2, 3], "runs": "0*6.0"},
    "other digits": {"image_size": [2, 3], "runs": "٣*6"},
    "two spaces": {"image_size": [2, 3], "runs": "0*3  1*3"},
    "trailing line": {"image_size": [2, 3], "runs": "0*6\n"},
    "long text": {"image_size": [2, 3], "runs": "0*1 " * 100_000},
    "no size": {"image_size": None, "runs": "0*6"},
    "one side": {"image_size": [6], "runs": "0*6"},
    "three sides": {"image_size": [1, 2, 3], "runs": "0*6"},
    "zero": {"image_size": [0, 6], "runs": "0*6"},
    "negative size": {"image_size": [-2, -3], "runs": "0*6"},
    "huge size": {"image_size": [100_000, 100_000], "runs": "0*6"},
    "sizes of words": {"image_size": ["2", "3"], "runs": "0*6"},
    "sizes of booleans": {"image_size": [True, True], "runs": "0*1"},
    "fractional size": {"image_size": [2.0, 3.0], "runs": "0*6"},
}


@pytest.mark.parametrize("value", BAD_MAPS.values(), ids=BAD_MAPS)
def test_bad_maps_are_refused_in_one_sentence(value):
    with pytest.raises(gr.Error) as caught:
        map_editor.MapEditor().preprocess(value)
    one_sentence_of(caught)


def test_a_map_of_another_size_is_refused_by_the_tab(mapper):
    session = mapper.render_person(T_SHIRT, "Studio", CHANGED, True)[0]
    with pytest.raises(gr.Error, match="picture") as caught:
        mapper.release(session, np.zeros((8, 8), np.uint8), CHANGED, True)
    one_sentence_of(caught)


def test_page_knows_the_ten_labels_and_their_colours():
    entries = map_editor.palette()
    assert len(entries) == 10
    assert entries[3] == {"name": "Upper clothes", "color": [230, 75, 60]}


def test_template_never_changes_under_a_stroke():
    editor = map_editor.MapEditor()
    for text in (editor.html_template, editor.css_template):
        assert "${" not in text
        assert "{{" not in text
        assert "`" not in text


def test_api_schema_describes_every_level():
    schema = map_editor.MapEditor().api_info()["properties"]
    assert schema["image_size"]["items"]["type"] == "integer"
    assert schema["runs"]["type"] == "string"
    map_editor.value_to_map(map_editor.MapEditor().example_payload())


# The callbacks --------------------------------------------------------------------------------------------


def test_map_tab_opens_on_an_edited_map_and_only_once(mapper):
    cards, seed, scene, session, source, editor, drawn = mapper.open(None, CHANGED, True)
    assert cards.count("<img") == len(EXAMPLES)
    assert (seed, scene) == EXAMPLES[0][:2]
    assert editor["value"] != editor["initial"] == map_editor.map_to_value(session.person.label_map)
    assert set(editor["pictures"]) == {"source", "result"}
    assert "data:image/png" in source
    assert "ms" in drawn
    assert all(part == gr.skip() for part in mapper.open(session, CHANGED, True))


@pytest.mark.parametrize("index", range(len(EXAMPLES)))
def test_every_example_of_the_map_tab_works(mapper, index):
    session = mapper.use_example(*EXAMPLES[index], CHANGED, True)[2]
    assert session.made.result.mask.any()


def test_painting_gives_a_new_picture_but_leaves_the_editor_alone(mapper):
    session = mapper.render_person(T_SHIRT, "Studio", CHANGED, True)[0]
    painted = session.person.label_map.copy()
    painted[30:50, 25:40] = SKIRT
    after, drawn, update = mapper.release(session, painted, CHANGED, True)
    assert (after.made.result.image != session.made.result.image).any()
    assert drawn.count("data:image/png;base64,") == 2  # shown, and behind the download link
    assert "value" not in update  # the editor must not be overwritten by its own echo
    assert mapper.explain(after, True).count("<figure") == 7
    assert mapper.explain(after, False) == ""


def test_a_ready_made_edit_gives_the_editors_new_value(mapper):
    session = mapper.render_person(LONG_SLEEVES, "Studio", CHANGED, True)[0]
    value = mapper.premade(session, session.person.label_map, "Shorter sleeves")
    assert (map_editor.value_to_map(value) != session.person.label_map).any()


def test_spt_without_semantic_guidance_says_so(studio):
    blind = Tailor(Predictor(make_spt(guidance="none", background="none", style="mask")))
    handlers = MapHandlers(studio, blind, "CPU")
    with pytest.raises(gr.Error, match="without semantic guidance") as caught:
        handlers.open(None, CHANGED, True)
    one_sentence_of(caught)


def test_program_can_edit_a_map(mapper):
    person = mapper.api_label_map(LONG_SLEEVES, "Studio")
    assert set(person["edits"]) <= set(EDITS)
    assert "Shorter sleeves" in person["edits"]
    answer = mapper.api_redraw(LONG_SLEEVES, "Studio", person["edits"]["Shorter sleeves"])
    assert json.dumps([person, answer])
    assert answer["picture"].startswith("data:image/png")


@pytest.mark.parametrize("value", [None, {}, "x", BAD_MAPS["too few pixels"]])
def test_bad_maps_of_programs_are_refused(mapper, value):
    with pytest.raises(gr.Error) as caught:
        mapper.api_redraw(T_SHIRT, "Studio", value)
    one_sentence_of(caught)
