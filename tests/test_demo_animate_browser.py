"""The tab "Animate" in a real Chromium: frames stream, films play, a stop, broken files, a phone."""

import json

import pytest

from pgt.applications import PoseSequence
from tests.demo_tiny import make_full_studio
from tests.demo_visit import PATIENCE, PHONE, Visit, visiting

pytestmark = pytest.mark.browser
pytest.importorskip("gradio", reason="the demo needs gradio")
pytest.importorskip("av", reason="films need PyAV")

SIZE = (128, 128)


@pytest.fixture(scope="module")
def studio():
    return make_full_studio(SIZE)


def wait_for(visit: Visit, condition: str, argument: object = None) -> None:
    visit.page.wait_for_function(condition, arg=argument, timeout=PATIENCE)


def choose_frames(visit: Visit, count: int) -> None:
    visit.page.locator("#animate-frames input[type=number]").fill(str(count))
    visit.page.keyboard.press("Enter")


def test_frames_stream_and_the_film_plays(visit):
    visit.open_tab("Animate")
    choose_frames(visit, 12)
    visit.page.evaluate(
        "window.seen = new Set(); setInterval(() => {"
        " const text = document.querySelector('#film figcaption')?.innerText;"
        " if (text?.startsWith('Frame')) window.seen.add(text); }, 5); undefined"
    )
    visit.click("#animate-run")
    visit.page.wait_for_selector("#film video", timeout=2 * PATIENCE)
    assert len(visit.page.evaluate("[...window.seen]")) >= 4
    wait_for(visit, "() => document.querySelector('#film video').readyState >= 3")
    playing = "() => document.querySelector('#film video').currentTime > 0"
    wait_for(visit, playing)  # by itself, muted
    facts = visit.page.evaluate(
        "(() => { const v = document.querySelector('#film video');"
        " return [v.videoWidth, v.videoHeight, v.duration, v.error]; })()"
    )
    assert facts[:2] == [SIZE[1], SIZE[0]]
    assert facts[2] == pytest.approx(12 / 25, abs=0.05)
    assert facts[3] is None
    assert "12 frames" in visit.page.locator("#film").inner_text()


def test_film_is_downloaded_as_mp4_and_gif(visit, tmp_path):
    visit.open_tab("Animate")
    choose_frames(visit, 8)
    visit.click("#animate-run")
    visit.page.wait_for_selector("#film video", timeout=2 * PATIENCE)
    for name, begins in (("film.mp4", b"ftyp"), ("film.gif", b"GIF89a")):
        with visit.page.expect_download() as downloading:
            visit.click(f"#film [download='{name}']")
        downloading.value.save_as(tmp_path / name)
        assert begins in (tmp_path / name).read_bytes()[:16]


def test_stop_ends_the_film_early(visit):
    visit.open_tab("Animate")
    choose_frames(visit, 96)
    visit.click("#animate-run")
    visit.page.wait_for_selector("#film progress", timeout=2 * PATIENCE)
    visit.click("#animate-stop")
    visit.page.wait_for_selector("#film video", timeout=2 * PATIENCE)
    assert "Stopped after" in visit.page.locator("#film").inner_text()


def test_broken_sequence_gives_one_sentence_and_takes_nothing_away(visit, tmp_path):
    (tmp_path / "broken.json").write_text(json.dumps({"image_size": [64, 64], "frames": [[[1, 2, 1]]]}))
    PoseSequence.from_motion("wave", 9, image_size=(64, 64)).write(tmp_path / "wave.json")
    visit.open_tab("Animate")
    choose_frames(visit, 8)
    visit.click("#animate-run")
    visit.page.wait_for_selector("#film video", timeout=2 * PATIENCE)
    film = visit.page.locator("#film video").get_attribute("src")
    visit.page.get_by_role("tab", name="Upload").click()
    visit.page.set_input_files("#sequence input[type=file]", tmp_path / "broken.json")
    visit.page.wait_for_selector("#sequence .file-preview", timeout=PATIENCE)
    visit.click("#animate-run")
    assert "broken.json" in visit.told()
    assert visit.page.locator("#film video").get_attribute("src") == film
    visit.click("#sequence [aria-label='Remove this file'], #sequence [aria-label='Clear']")
    visit.page.wait_for_selector("#sequence input[type=file]", state="attached", timeout=PATIENCE)
    visit.page.set_input_files("#sequence input[type=file]", tmp_path / "wave.json")
    visit.page.wait_for_selector("#sequence .file-preview", timeout=PATIENCE)
    visit.click("#animate-run")
    wait_for(
        visit,
        "old => { const v = document.querySelector('#film video'); return v && v.src !== old; }",
        film,
    )
    assert "first 8 of 9 frames" in visit.page.locator("#film").inner_text()


def test_example_is_a_film_at_once(visit):
    visit.open_tab("Animate")
    choose_frames(visit, 8)
    visit.click("#animate-examples [data-index='1']")
    visit.page.wait_for_selector("#film video", timeout=2 * PATIENCE)
    assert visit.page.locator("#motion input:checked").get_attribute("value") == "Dance"


def test_films_fit_a_phone(browser, address):
    with visiting(browser, address, PHONE) as phone:
        phone.open_tab("Animate")
        choose_frames(phone, 8)
        phone.click("#animate-run")
        phone.page.wait_for_selector("#film video", timeout=2 * PATIENCE)
        assert not phone.is_too_wide()
        box = phone.page.locator("#film").bounding_box()
        links = [phone.page.locator(f"#film [download='film.{kind}']") for kind in ("mp4", "gif")]
        for link in (one.bounding_box() for one in links):
            assert box["x"] <= link["x"] <= link["x"] + link["width"] <= box["x"] + box["width"]
