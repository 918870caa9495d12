"""The page of a study without a browser: what it is told, what it keeps, what it refuses."""

import base64
import json
import re

import pytest

from tests.demo_tiny import one_sentence_of
from tests.study_tiny import SIZE, make_preference, make_real_fake

gr = pytest.importorskip("gradio", reason="the page needs gradio")

from handlers_study import StudyHandlers, Visitor  # noqa: E402

from pgt.studies.answers import read_answers  # noqa: E402


def say(handlers: StudyHandlers, visitor: Visitor, answer: object, **changes) -> tuple:
    sent = {"trial": visitor.left[0] if visitor.left else 0, "answer": answer, "milliseconds": 700}
    return handlers.answer(visitor, sent | changes)


def test_nothing_that_the_page_is_told_names_a_method(tmp_path):
    make_preference(tmp_path / "pairs")
    make_real_fake(tmp_path / "single")
    for name, words in (("pairs", "SPT|PG2|warp"), ("single", "SPT|PG2|generated|real")):
        handlers = StudyHandlers(tmp_path / name)
        told = handlers.begin("Ada")[1]
        pictures = [*told.pop("given"), *told.pop("pictures")]
        for one in pictures:
            assert one["address"].startswith("data:image/png;base64,")
            assert one["shape"] == list(SIZE)
            content = base64.b64decode(one["address"].partition(",")[2])
            assert not re.search(rb"tEXt|iTXt|tIME|eXIf", content)
        told.pop("choices"), told.pop("question")
        assert not re.search(words, json.dumps(told))


def test_a_page_goes_through_and_goes_on_after_a_reload(tmp_path):
    plan = make_real_fake(tmp_path)
    handlers = StudyHandlers(tmp_path)
    visitor, told, *_ = handlers.begin("Ada")
    assert told["number"] == 0
    visitor = say(handlers, visitor, "real")[0]
    again, told, *_ = handlers.begin("Ada")
    assert (again, told["number"]) == (visitor, 1)
    while visitor.left:
        visitor, told, thanks, welcome, running, end = say(handlers, visitor, "generated")
    assert told is None
    assert "Thank you, Ada" in thanks
    assert (welcome["visible"], running["visible"], end["visible"]) == (False, False, True)
    assert len(read_answers(tmp_path, plan)[0]) == len(plan.sessions[0])
    assert handlers.begin("Ada")[1] is None


def test_an_answer_that_comes_twice_is_kept_once(tmp_path):
    plan = make_real_fake(tmp_path)
    handlers = StudyHandlers(tmp_path)
    first = handlers.begin("Ada")[0]
    second = say(handlers, first, "real")[0]
    assert say(handlers, second, "real", trial=first.left[0])[0] == second
    assert len(read_answers(tmp_path, plan)[0]) == 1


@pytest.mark.parametrize("changes", [{"answer": "left"}, {"answer": ["real"]}, {"milliseconds": None}])
def test_a_broken_answer_gets_one_sentence_and_is_not_kept(tmp_path, changes):
    make_real_fake(tmp_path)
    handlers = StudyHandlers(tmp_path)
    with pytest.raises(gr.Error) as caught:
        say(handlers, handlers.begin("Ada")[0], **{"answer": "real"} | changes)
    assert one_sentence_of(caught)
    assert not (tmp_path / "answers.csv").exists()


@pytest.mark.parametrize("name", ["", "   ", None, "=cmd()", "a\nb,c;" * 9, "<b>"])
def test_names_that_are_none_get_one_sentence(tmp_path, name):
    make_real_fake(tmp_path)
    with pytest.raises(gr.Error) as caught:
        StudyHandlers(tmp_path).begin(name)
    assert "name has 1 to 40" in one_sentence_of(caught)


def test_welcome_says_how_long_and_how_many(tmp_path):
    make_real_fake(tmp_path / "single", seconds=1, note="They are <synthetic>.")
    words = StudyHandlers(tmp_path / "single").welcome()
    assert "for 1 second;" in words
    assert "They are &lt;synthetic&gt;." in words
    assert "There are 8 questions. 4 of them" in words
    make_preference(tmp_path / "pairs")
    assert "as long as you like" in StudyHandlers(tmp_path / "pairs").welcome()
