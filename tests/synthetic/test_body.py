"""Bodies and clothes are closed, smooth, skinned surfaces that keep their size when they bend."""

import numpy as np
import pytest

from pgt.synthetic import garments
from pgt.synthetic.anatomy import Shape, bind_frames, sculpt_body
from pgt.synthetic.body import body_template, fit_to_proportions, wrap_body
from pgt.synthetic.draw import Draw
from pgt.synthetic.figure import build_figure, pose_figure
from pgt.synthetic.implicit import mesh_blend, settle
from pgt.synthetic.poses import draw_pose
from pgt.synthetic.skeleton import Proportions, forward_kinematics
from pgt.synthetic.surface import bend, bone_motions, cut, hemmed, quaternions
from pgt.synthetic.wardrobe import draw_identity


@pytest.fixture(scope="module")
def skin():
    template, p = body_template("coarse"), Proportions()
    return wrap_body(template, fit_to_proportions(template, p), sculpt_body(p, Shape()))


def edges_of(faces):
    return faces[:, [0, 1, 2]].ravel(), faces[:, [1, 2, 0]].ravel()


def test_the_body_is_one_closed_surface(skin):
    start, end = edges_of(skin.faces)
    size = len(skin.vertices)
    assert np.array_equal(np.sort(start * size + end), np.sort(end * size + start))


def test_faces_look_outward(skin):
    a, b, c = (skin.vertices[skin.faces[:, i]] for i in range(3))
    outward = (np.cross(b - a, c - a) * skin.normals[skin.faces[:, 0]]).sum(1)
    assert (outward > 0).mean() > 0.99


def test_settled_points_lie_on_the_surface():
    blend = sculpt_body(Proportions(), Shape())
    vertices, _ = mesh_blend(blend, 0.05, relax=1)
    settled, normals = settle(blend, vertices, 4)
    assert np.abs(blend(settled)[0]).max() < 2e-3
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-4)


def test_the_gradient_is_the_slope_of_the_distance():
    blend = sculpt_body(Proportions(), Shape())
    points = mesh_blend(blend, 0.08, relax=0)[0][::9] * 1.02
    _, gradient = blend(points)
    along = gradient / np.linalg.norm(gradient, axis=1, keepdims=True)
    ahead, behind = blend(points + 0.004 * along)[0], blend(points - 0.004 * along)[0]
    slope = (ahead - behind) / 0.008
    assert np.median(np.abs(slope - np.linalg.norm(gradient, axis=1))) < 0.03


def test_weights_sum_to_one_and_are_mirrored_shares(skin):
    np.testing.assert_allclose(skin.weights.sum(1), 1, atol=1e-5)
    assert (skin.weights >= 0).all()


def test_the_bind_pose_leaves_the_body_where_it_is(skin):
    frames = bind_frames(Proportions())
    vertices, normals = bend(skin, bone_motions(frames, frames))
    np.testing.assert_allclose(vertices, skin.vertices, atol=1e-5)
    np.testing.assert_allclose(normals, skin.normals, atol=1e-5)


def test_a_turned_and_moved_body_is_rigid(skin):
    p = Proportions()
    rotations = np.tile(np.eye(3), (17, 1, 1))
    hanging = forward_kinematics(p, rotations)
    rotations[0] = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]
    turned = forward_kinematics(p, rotations, np.array([1.0, 2.0, 3.0]))
    bind = bind_frames(p)
    before, _ = bend(skin, bone_motions(bind, hanging))
    after, _ = bend(skin, bone_motions(bind, turned))
    np.testing.assert_allclose(after, before @ rotations[0].T + [1, 2, 3], atol=2e-5)


@pytest.mark.parametrize("kind", ["standing", "sitting", "squatting", "arms_raised", "arms_crossed"])
def test_bending_neither_tears_nor_collapses(skin, kind):
    p = Proportions()
    pose = draw_pose(Draw(5), kind, p)
    vertices, normals = bend(skin, bone_motions(bind_frames(p), pose.frames(p)))
    start, end = edges_of(skin.faces)
    before = np.linalg.norm(skin.vertices[start] - skin.vertices[end], axis=1)
    after = np.linalg.norm(vertices[start] - vertices[end], axis=1)
    assert np.percentile(after / before, 99.5) < 3
    assert after.max() < 0.2
    assert np.isfinite(normals).all()


def test_quaternions_turn_as_their_matrices_do():
    pose = draw_pose(Draw(3), "arms_raised")
    w, x, y, z = quaternions(pose.rotations).T
    expected = pose.rotations[:, 0, 0]
    np.testing.assert_allclose(1 - 2 * (y * y + z * z), expected, atol=1e-9)
    np.testing.assert_allclose(2 * (x * y + w * z), pose.rotations[:, 1, 0], atol=1e-9)


def test_a_cut_runs_along_the_line(skin):
    height = skin.vertices[:, 1] - 0.1
    upper, lower = cut(skin, height), cut(skin, -height)
    assert upper.vertices[:, 1].min() == pytest.approx(0.1, abs=1e-5)
    assert lower.vertices[:, 1].max() == pytest.approx(0.1, abs=1e-5)

    def area(s):
        a, b, c = (s.vertices[s.faces[:, i]].astype(float) for i in range(3))
        return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()

    assert area(upper) + area(lower) == pytest.approx(area(skin), rel=1e-5)


def test_a_hem_goes_inwards(skin):
    top = cut(skin, skin.vertices[:, 1] - 0.1)
    lip = hemmed(top, 0.02).vertices[len(top.vertices) :]
    assert len(lip) > 10
    assert np.abs(lip[:, 1] - 0.1).max() < 0.021


@pytest.mark.parametrize("seed", range(0, 24, 3))
def test_clothes_lie_outside_the_skin_they_cover(seed):
    identity = draw_identity(seed)
    figure = build_figure(identity, "coarse")
    blend = sculpt_body(identity.proportions, identity.shape)
    cloth = np.isin(figure.surface.material, [3, 6])
    used = np.unique(figure.surface.faces[cloth])
    assert np.percentile(blend(figure.surface.vertices[used])[0], 3) > -0.02  # hems turn inwards


def test_trousers_share_one_height_from_waist_to_hem():
    seed = next(s for s in range(99) if draw_identity(s).bottom.kind == "trousers")
    figure = build_figure(draw_identity(seed), "coarse")
    used = np.unique(figure.surface.faces[figure.surface.label == garments.PANTS])
    height = figure.surface.vertices[used, 1] - figure.bind.origins[11][1]
    assert np.abs(figure.surface.uv[used, 1] - height).max() < 0.03


def test_detail_changes_the_mesh_but_not_the_figure():
    identity = draw_identity(7)
    pose = draw_pose(Draw(1), "walking", identity.proportions).frames(identity.proportions)
    fine, coarse = (pose_figure(build_figure(identity, d), pose)[0] for d in ("fine", "coarse"))
    assert len(fine) > 2 * len(coarse)
    np.testing.assert_allclose(fine.max(0), coarse.max(0), atol=0.02)
    np.testing.assert_allclose(fine.min(0), coarse.min(0), atol=0.02)
