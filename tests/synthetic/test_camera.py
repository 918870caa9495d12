"""Cameras: directions, resolution independence, and framing rules."""

import math

import numpy as np
import pytest

from pgt.synthetic.camera import SCENES, Camera, draw_camera, project, unproject, view_rotation
from pgt.synthetic.draw import Draw
from pgt.synthetic.poses import draw_pose
from pgt.synthetic.skeleton import Proportions, joints_18

BODY = Proportions()
SIZES = {"plain": (256, 256), "street": (128, 64), "non_iconic": (128, 128)}


def posed(seed, scene, kind=None, shot=None):
    draw = Draw(seed)
    joints = joints_18(BODY, draw_pose(draw, kind, scene=scene).frames(BODY))
    camera = draw_camera(draw, scene, joints, shot=shot)
    return joints, camera


def test_a_person_turned_by_a_quarter_faces_the_right_of_the_image():
    ahead = np.array([0.0, 0.0, 1.0])
    assert view_rotation(Camera(yaw=math.pi / 2)) @ ahead == pytest.approx([1, 0, 0])
    assert view_rotation(Camera(yaw=0)) @ ahead == pytest.approx([0, 0, 1])


def test_from_above_what_is_nearer_is_lower_in_the_image():
    pixels, depth = project(np.array([[0, 0, 0.5], [0, 0, -0.5]]), Camera(pitch=0.3), (100, 100))
    assert pixels[0, 1] > pixels[1, 1]
    assert depth[0] > depth[1]


def test_world_origin_lands_on_center_and_the_scale_is_image_heights_per_metre():
    camera = Camera(center=(0.1, 0.2), scale=0.5)
    pixels, _ = project(np.array([[0, 0, 0], [0, 1.0, 0]]), camera, (200, 100))
    assert pixels[0] == pytest.approx([49.5 + 20, 99.5 + 40])
    assert pixels[0, 1] - pixels[1, 1] == pytest.approx(100)


def test_the_same_camera_shows_the_same_picture_at_any_resolution():
    joints, camera = posed(3, "plain")
    small, _ = project(joints, camera, (64, 64))
    large, _ = project(joints, camera, (256, 256))
    assert (small + 0.5) * 4 == pytest.approx(large + 0.5)


def test_aspect_ratio_only_crops_the_sides():
    joints, camera = posed(3, "street")
    wide, _ = project(joints, camera, (128, 128))
    narrow, _ = project(joints, camera, (128, 64))
    assert wide - narrow == pytest.approx(np.tile([32, 0], (18, 1)))


def test_unproject_is_the_inverse_of_project():
    joints, camera = posed(4, "street")
    pixels, depth = project(joints, camera, (128, 64))
    assert unproject(pixels, depth, camera, (128, 64)) == pytest.approx(joints)


@pytest.mark.parametrize("scene", SCENES)
def test_most_joints_are_in_the_picture(scene):
    inside = []
    for seed in range(150):
        joints, camera = posed(seed, scene, shot="full")
        pixels, _ = project(joints, camera, SIZES[scene])
        inside.append(((pixels > 0) & (pixels < np.array(SIZES[scene][::-1]) - 1)).all(1))
    inside = np.array(inside)
    assert inside.mean() > 0.985
    assert inside.sum(1).min() >= 14
    assert inside[:, [0, 1, 8, 11]].mean() > 0.99


@pytest.mark.parametrize("kind", ["arms_raised", "kicking", "jumping", "sitting", "squatting", "bending"])
def test_wide_and_low_poses_are_framed_too(kind):
    for seed in range(30):
        for scene in SCENES:
            joints, camera = posed(seed, scene, kind)
            pixels, _ = project(joints, camera, SIZES[scene])
            body = pixels[[0, 1, 8, 11]]
            assert ((body > 0) & (body < np.array(SIZES[scene][::-1]))).all(), (scene, seed)


def test_standing_people_fill_plain_and_street_frames():
    for scene, low in (("plain", 0.62), ("street", 0.62)):
        spans = []
        for seed in range(40):
            joints, camera = posed(seed, scene, "standing", "full")
            pixels, _ = project(joints, camera, SIZES[scene])
            spans.append(np.ptp(pixels[:, 1]) / SIZES[scene][0])
        assert min(spans) > low
        assert 0.70 < np.mean(spans) < 0.85  # from the eyes to the ankles


def test_upper_body_shots_cut_between_hips_and_ankles():
    for seed in range(30):
        joints, camera = posed(seed, "plain", "standing", "upper")
        pixels, _ = project(joints, camera, (256, 256))
        assert 0 < pixels[0, 1] < 90
        assert pixels[[10, 13], 1].min() > 255


def test_people_who_look_over_the_shoulder_in_a_studio_show_their_face():
    for seed in range(20):
        joints, camera = posed(seed, "plain", "looking_back")
        view = joints @ view_rotation(camera).T
        assert view[0, 2] > view[[16, 17], 2].mean() - 0.08


def test_cameras_are_the_same_for_the_same_draw_whatever_is_given():
    joints, _ = posed(1, "plain")
    free = draw_camera(Draw(9), "plain", joints, shot="full")
    turned = draw_camera(Draw(9), "plain", joints, shot="full", yaw=free.yaw)
    assert free == turned


def test_unknown_scene_is_refused():
    with pytest.raises(ValueError, match="non_iconic"):
        draw_camera(Draw(0), "moon", np.zeros((18, 3)))
