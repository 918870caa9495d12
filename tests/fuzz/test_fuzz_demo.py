"""What a visitor of the demo can upload or send: broken files and odd values get one sentence."""

import base64
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgt.models.part_warp import PartWarp
from pgt.predictor import Predictor
from tests.demo_tiny import make_pg2, make_studio, one_sentence_of
from tests.fuzz.damage import DAMAGE, EXAMPLES, ODD, changed, few
from tests.fuzz.test_fuzz_files import FILM, JOINTS, POSE, write_photo

gr = pytest.importorskip("gradio", reason="the demo needs gradio")

from callbacks import Turn  # noqa: E402
from handlers import Handlers  # noqa: E402
from handlers_animate import AnimateHandlers  # noqa: E402
from handlers_map import MapHandlers  # noqa: E402
from handlers_swap import SwapHandlers  # noqa: E402
from handlers_try_on import TryOnHandlers  # noqa: E402
from map_editor import MapEditor, map_to_value  # noqa: E402
from pose_editor import PoseEditor, value_to_pose  # noqa: E402
from studio import Studio  # noqa: E402
from tailor import Tailor  # noqa: E402

from pgt.data.pose import Pose  # noqa: E402


@pytest.fixture(scope="module")
def studio() -> Studio:
    """Return a studio that needs no map of a photo, so that a photo is quickly shown."""
    return Studio(Predictor(make_pg2()), Predictor(PartWarp()))


@pytest.fixture(scope="module")
def tailor() -> Tailor:
    return Tailor(make_studio().spt)


fewer = settings(few, max_examples=max(1, EXAMPLES // 4))  # pictures are drawn


@contextmanager
def told(*hidden: str) -> Iterator[None]:
    """Let through what a visitor is told; it must not hold what is none of their business."""
    try:
        yield
    except gr.Error as error:
        said = one_sentence_of(type("Caught", (), {"value": error}))
        assert not any(word in said for word in hidden), said


@fewer
@given(photo=DAMAGE, joints=changed(POSE), broken=st.booleans())
def test_an_uploaded_photo_and_its_joints(studio, photo, joints, broken):
    handlers = Handlers(studio, "CPU")
    with tempfile.TemporaryDirectory() as folder:
        path, file = write_photo(Path(folder) / "photo.jpg"), Path(folder) / "joints.json"
        file.write_text(json.dumps(joints))
        if broken:
            photo(path)
        with told(folder):
            handlers.use_photo(str(path), str(file))


@fewer
@given(joints=DAMAGE, ending=st.sampled_from(["json", "csv", "txt"]))
def test_a_broken_file_of_joints_is_told_without_its_folder(studio, joints, ending):
    with tempfile.TemporaryDirectory() as folder:
        path, file = write_photo(Path(folder) / "photo.jpg"), Path(folder) / f"joints.{ending}"
        file.write_text(json.dumps(POSE))
        joints(file)
        with told(folder):
            Handlers(studio, "CPU").use_photo(str(path), str(file))


@fewer
@given(content=changed(FILM), damage=DAMAGE, broken=st.booleans())
def test_an_uploaded_pose_sequence(studio, content, damage, broken):
    handlers = AnimateHandlers(studio, "CPU")
    session, _ = handlers.show(studio.synthetic(0))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "film.json"
        file.write_text(json.dumps(content))
        if broken:
            damage(file)
        with told(folder):
            handlers.begin(session, "Walk", True, str(file), "PG2", 8, True, Turn())


@fewer
@given(changed(POSE), st.text(max_size=40))
def test_an_imported_pose_and_one_from_a_program(studio, value, text):
    handlers = Handlers(studio, "CPU")
    session = handlers.show(studio.synthetic(0), "PG2")[0]
    for given_text in (json.dumps(value), text):
        with told():
            handlers.imported(session, given_text)
    with told():
        PoseEditor.preprocess(None, value)
    with told():
        handlers.api_generate(0, "Studio", value, "PG2")


@fewer
@given(JOINTS)
def test_any_pose_that_the_editor_lets_through_is_drawn(studio, joints):
    value = {"image_size": [64, 64], "keypoints": np.c_[joints[0] / 1000, joints[1]].tolist()}
    handlers = Handlers(studio, "CPU")
    with told():
        try:
            pose = value_to_pose(value)
        except ValueError:
            return
        assert isinstance(pose, Pose)
        for approach in studio.approaches:
            handlers.api_generate(0, "Studio", value, approach)


@fewer
@given(changed(map_to_value(np.zeros((64, 64), np.uint8))), ODD)
def test_a_painted_map(studio, tailor, value, where):
    mapper = MapHandlers(studio, tailor, "CPU")
    with told():
        MapEditor.preprocess(None, value)
    with told():
        mapper.api_redraw(0, "Studio", value, "The whole person")
    with told():
        mapper.api_redraw(0, "Studio", map_to_value(np.full((64, 64), 3, np.uint8)), where)


@fewer
@given(DAMAGE, ODD, st.binary(max_size=60))
def test_pictures_sent_as_text(studio, tailor, damage, odd, content):
    handlers, try_on = Handlers(studio, "CPU"), TryOnHandlers(studio, tailor, "CPU")
    with tempfile.TemporaryDirectory() as folder:
        path = write_photo(Path(folder) / "photo.png")
        damage(path)
        sent = path.read_bytes() if path.is_file() else b""
        for photo in (base64.b64encode(sent).decode(), base64.b64encode(content).decode(), odd):
            with told("/tmp"):
                handlers.api_generate_from_photo(photo, POSE, POSE, "PG2")
            with told("/tmp"):
                try_on.api_try_on_style(0, "Studio", photo)


@fewer
@given(ODD, ODD, ODD)
def test_odd_choices(studio, tailor, first, second, third):
    try_on, swap = TryOnHandlers(studio, tailor, "CPU"), SwapHandlers(studio, tailor, "CPU")
    handlers, subject = Handlers(studio, "CPU"), studio.synthetic(0)
    for call in (
        lambda: handlers.api_render_person(first, second),
        lambda: handlers.api_generate(0, "Studio", POSE, first),
        lambda: handlers.use_photo(None, None),
        lambda: swap.api_swap_clothes(0, "Studio", 1, first, ["Pants"]),
        lambda: swap.api_swap_clothes(0, "Studio", 1, "Studio", first),
        lambda: try_on.api_try_on_product(0, "Studio", first),
        lambda: try_on.api_try_on_style(0, "Studio", "", second),
        lambda: handlers.tools(first),
        lambda: AnimateHandlers(studio, "CPU").begin(
            AnimateHandlers(studio, "CPU").show(subject)[0], first, False, None, second, third, True, Turn()
        ),
    ):
        with told():
            call()
