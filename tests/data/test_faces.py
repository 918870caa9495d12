"""Face boxes and crops (Song et al. 2021, Eq. 11)."""

import numpy as np
import pytest
import torch

from benchmarks import literal
from benchmarks.encodings import draw_poses
from pgt.data.faces import crop_faces, face_boxes

FACE = [0, 14, 15, 16, 17]


@pytest.mark.parametrize("size", [(128, 64), (256, 256)], ids=str)
def test_box_is_the_head_square_around_the_visible_face_joints(size):
    keypoints, visible = draw_poses(size)
    boxes, valid = face_boxes(keypoints, visible, size)
    assert valid.all()
    for i in range(len(keypoints)):
        points, seen = keypoints[i].numpy(), visible[i].numpy()
        center = points[[joint for joint in FACE if seen[joint]]].mean(axis=0) + 0.5  # pixel edges
        half = 0.4 * literal.body_scale(points, seen)
        np.testing.assert_allclose(boxes[i], [*(center - half), *(center + half)], rtol=1e-4)


def test_face_comes_out_centred_on_non_square_pictures():
    size = (128, 64)
    keypoints, visible = (value[:1] for value in draw_poses(size))
    keypoints, visible = keypoints.clone(), visible.clone()
    keypoints[0, FACE] = torch.tensor([40.0, 30.0])
    visible[0, FACE] = True
    xs = torch.arange(64.0).expand(1, 1, 128, 64)
    ys = torch.arange(128.0)[:, None].expand(1, 1, 128, 64)
    faces, valid = crop_faces(torch.cat([xs, ys], dim=1), keypoints, visible, (16, 16))
    assert valid.all()
    torch.testing.assert_close(faces.mean(dim=(2, 3))[0], torch.tensor([40.0, 30.0]), atol=1e-3, rtol=1e-4)
    half = 0.4 * literal.body_scale(keypoints[0].numpy(), visible[0].numpy())
    width = (faces[0, 0, 0, -1] - faces[0, 0, 0, 0]).item()
    assert width == pytest.approx(2 * half * 15 / 16, rel=1e-3)


def test_without_a_face_the_picture_is_flagged_and_not_black():
    size = (64, 32)
    keypoints, visible = (value[:3].clone() for value in draw_poses(size))
    visible[0, FACE] = False  # seen from behind
    visible[1] = False  # nobody
    keypoints[2, FACE] = torch.tensor([500.0, 20.0])  # out of the picture
    visible[2, FACE] = True
    faces, valid = crop_faces(torch.ones(3, 3, *size), keypoints, visible, (8, 8))
    assert not valid.any()
    torch.testing.assert_close(faces, torch.ones(3, 3, 8, 8))


def test_faces_pass_their_gradient_to_the_picture_and_only_under_the_box():
    size = (64, 32)
    keypoints, visible = (value[:2] for value in draw_poses(size))
    image = torch.rand(2, 3, *size).bfloat16().requires_grad_()
    faces, _ = crop_faces(image, keypoints, visible, (32, 32))
    assert faces.dtype == torch.float32
    faces.sum().backward()
    boxes, _ = face_boxes(keypoints, visible, size)
    for i in range(2):
        touched = image.grad[i].abs().sum(dim=0).nonzero().float()  # (y, x)
        assert len(touched) > 0
        assert (touched[:, 1] >= boxes[i, 0] - 1.5).all()
        assert (touched[:, 1] <= boxes[i, 2] + 0.5).all()
        assert (touched[:, 0] >= boxes[i, 1] - 1.5).all()
        assert (touched[:, 0] <= boxes[i, 3] + 0.5).all()
