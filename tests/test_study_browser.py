"""A participant in a real Chromium: a short study by keys and by clicks, a reload, a time limit."""

import base64
import csv
import io
import time

import numpy as np
import pytest
from PIL import Image

from pgt.__main__ import main
from tests.demo_visit import PATIENCE, PHONE, WIDE, Visit, finish_work
from tests.study_tiny import make_preference, make_real_fake

pytestmark = pytest.mark.browser
pytest.importorskip("gradio", reason="the page needs gradio")

SECONDS = 0.4
LONG = 5.0  # seconds; long enough to be seen on a busy machine, too


class Participant(Visit):
    """A page of a study."""

    def begin(self, address: str, name: str) -> None:
        self.page.goto(address)
        self.page.wait_for_selector("#name input, #name textarea", timeout=PATIENCE)
        self.page.locator("#name input, #name textarea").fill(name)
        self.page.locator("#name input, #name textarea").press("Enter")

    def wait(self, state: str) -> None:
        self.page.wait_for_selector(f".st[data-state={state}]", timeout=PATIENCE)

    def wait_for_count(self, words: str) -> None:
        self.page.wait_for_function(
            "words => document.querySelector('.st-count')?.textContent.startsWith(words)",
            arg=words,
            timeout=PATIENCE,
        )
        self.page.wait_for_selector(".st[data-state=shown], .st[data-state=hidden]", timeout=PATIENCE)

    def colour(self) -> tuple[int, ...]:
        """Return the colour of the picture that is judged."""
        address = self.page.locator(".st-stage img").first.get_attribute("src")
        picture = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
        assert not picture.info, "the file tells more than its pixels"
        return tuple(np.asarray(picture)[0, 0].tolist())


@pytest.fixture
def study_page(browser, tmp_path):
    """Return what opens a study: (folder, window) -> participant and address; all is closed at the end."""
    import app
    import study
    from handlers_study import StudyHandlers

    opened = []

    def open_study(folder, window=WIDE):
        page = study.create_study(StudyHandlers(folder))
        app.launch(page, server_port=app.free_port(), prevent_thread_lock=True, quiet=True)
        context = browser.new_context(**window)
        participant = Participant(context.new_page())
        opened.append((page, context, participant))
        return participant, page.local_url

    yield open_study
    for page, context, participant in opened:
        context.close()
        page.close()
        assert not participant.complaints, participant.complaints
        assert not participant.outside, participant.outside
    finish_work()


def rows(folder) -> list[dict[str, str]]:
    with (folder / "answers.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_study_by_keys_with_a_reload_is_counted(study_page, tmp_path, capsys):
    folder = tmp_path / "study"
    plan = make_real_fake(folder, seconds=SECONDS)
    truth = {trial.pictures[0]: trial.truth for trial in plan.session(0)}
    person, address = study_page(folder)
    person.begin(address, "Ada")
    total = len(plan.session(0))
    for number in range(total):
        person.wait_for_count(f"{number + 1} of {total}")
        real = person.colour()[0] == 10  # as the tests' real pictures are
        assert (truth[plan.session(0)[number].pictures[0]] == "real") == real
        person.page.keyboard.press("ArrowLeft" if real else "ArrowRight")
        if number == 2:  # once the answer is kept the page may go
            person.wait_for_count(f"{number + 2} of {total}")
            person.begin(address, "  Ada ")
    person.page.wait_for_selector("#end:has-text('Thank you, Ada')", timeout=PATIENCE)
    found = rows(folder)
    assert [int(row["trial"]) for row in found] == list(range(total))
    assert all(row["answer"] == row["truth"] for row in found)
    assert main(["study", "report", str(folder)]) == 0
    table = capsys.readouterr().out.splitlines()
    assert [cell.strip() for cell in table[2].split("|")[1:4]] == ["PG2", "9.2", "0.0"]


def test_a_picture_goes_when_its_time_is_over_and_can_still_be_judged(study_page, tmp_path):
    folder = tmp_path / "study"
    make_real_fake(folder, seconds=LONG)
    person, address = study_page(folder)
    person.begin(address, "Bob")
    person.wait("shown")
    assert person.page.locator(".st-stage img").is_visible()
    start = time.monotonic()
    person.wait("hidden")
    assert time.monotonic() - start < 3 * LONG
    assert not person.page.locator(".st-stage img").is_visible()
    person.page.click("[data-answer=generated]")
    person.wait_for_count("2 of")
    assert float(rows(folder)[0]["milliseconds"]) >= 1000 * LONG * 0.9
    html = person.page.content()
    assert "PG2" not in html
    assert "SPT" not in html


def test_pairs_are_chosen_by_a_click_and_fit_a_phone(study_page, tmp_path):
    folder = tmp_path / "study"
    plan = make_preference(folder)
    person, address = study_page(folder, PHONE)
    person.begin(address, "Eve")
    for number in range(2):
        person.wait_for_count(f"{number + 1} of {len(plan.session(0))}")
        assert person.page.locator(".st-given figure").count() == 2
        assert not person.is_too_wide()
        for box in (one.bounding_box() for one in person.page.locator(".st figure, .st button").all()):
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= PHONE["viewport"]["width"]
        person.page.locator(".st-stage button").nth(number).click()
    person.wait_for_count("3 of")
    assert [row["answer"] for row in rows(folder)] == ["left", "right"]


def test_a_name_that_is_none_gets_one_sentence(study_page, tmp_path):
    folder = tmp_path / "study"
    make_real_fake(folder)
    person, address = study_page(folder)
    person.begin(address, "=1+1")
    assert "begins with a letter or digit" in person.told()
    assert not (folder / "answers.csv").exists()
