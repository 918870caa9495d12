"""Films: one person, one scene, one camera, and the body in every frame."""

import numpy as np
import pytest

from pgt.synthetic.films import film
from pgt.synthetic.motions import MOTIONS
from pgt.synthetic.people import SyntheticPeople

PEOPLE = SyntheticPeople("test", (48, 48), "plain")


@pytest.mark.parametrize("name", MOTIONS)
def test_everything_but_the_pose_stays(name):
    frames = film(PEOPLE, 3, name, 6)
    assert len(frames) == 6
    assert len({frame.spec.camera for frame in frames}) == 1
    for frame in frames:
        assert np.array_equal(frame.background, frames[0].background)
        assert frame.visible[1:14].all()  # the body's joints: all inside the picture
    assert any(not np.array_equal(frame.keypoints, frames[0].keypoints) for frame in frames)


def test_the_person_turns_as_asked():
    front, back = (film(PEOPLE, 3, "walk", 2, yaw=yaw)[0] for yaw in (0.0, np.pi))
    assert front.visible[0]
    assert not back.visible[0]
    assert front.keypoints[2, 0] < front.keypoints[5, 0]  # the right shoulder on the left
    assert back.keypoints[2, 0] > back.keypoints[5, 0]


def test_an_unknown_motion_is_refused():
    with pytest.raises(ValueError, match="'fly'"):
        film(PEOPLE, 3, "fly", 6)
