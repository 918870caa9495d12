"""Pictures: right sizes, right colours in the right places, labels that fit."""

import numpy as np
import pytest
import torch

from pgt import plot
from pgt.data.parsing import COLORS
from pgt.data.pose import JOINTS, Pose


@pytest.fixture
def pose() -> Pose:
    """Joints on a coarse lattice, far from each other."""
    keypoints = [(10 + 20 * (joint % 6), 15 + 30 * (joint // 6)) for joint in range(len(JOINTS))]
    return Pose(np.array(keypoints, np.float32), np.ones(len(JOINTS), bool), (96, 128))


def grey(height: int, width: int, value: int = 100) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_right_is_warm_and_left_is_cool() -> None:
    for name, (red, _, blue) in zip(JOINTS, plot.JOINT_COLORS, strict=True):
        if name.startswith("right"):
            assert red > blue
        elif name.startswith("left"):
            assert blue > red


def test_a_joint_is_drawn_where_it_is(pose) -> None:
    alone = Pose(pose.keypoints, np.arange(len(JOINTS)) == 4, pose.image_size)
    changed = (plot.draw_skeleton(grey(96, 128), alone, thickness=4) != 100).any(2)
    ys, xs = np.nonzero(changed)
    assert abs(xs.mean() - pose.keypoints[4, 0]) < 0.1
    assert abs(ys.mean() - pose.keypoints[4, 1]) < 0.1
    assert np.hypot(xs - pose.keypoints[4, 0], ys - pose.keypoints[4, 1]).max() < 6


def test_a_pose_is_resized_to_the_picture_and_the_input_is_not_touched(pose) -> None:
    image = grey(192, 256)
    alone = Pose(pose.keypoints, np.arange(len(JOINTS)) == 4, pose.image_size)
    ys, xs = np.nonzero((plot.draw_skeleton(image, alone) != 100).any(2))
    assert abs(xs.mean() - (2 * pose.keypoints[4, 0] + 0.5)) < 0.2
    assert abs(ys.mean() - (2 * pose.keypoints[4, 1] + 0.5)) < 0.2
    assert (image == 100).all()


def test_missing_joints_and_their_limbs_are_not_drawn(pose) -> None:
    nobody = Pose(pose.keypoints, np.zeros(len(JOINTS), bool), pose.image_size)
    assert (plot.draw_skeleton(grey(96, 128), nobody) == 100).all()
    assert (plot.draw_skeleton(grey(96, 128), pose, opacity=0) == 100).all()


def test_edges_are_anti_aliased(pose) -> None:
    drawn = plot.draw_skeleton(None, pose, background=(0, 0, 0))
    assert drawn.shape == (96, 128, 3)
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 100


def test_color_parsing_paints_the_palette_and_leaves_the_background_of_a_picture() -> None:
    labels = np.arange(10).reshape(2, 5)
    assert (plot.color_parsing(labels).reshape(10, 3) == COLORS).all()
    tinted = plot.color_parsing(labels, grey(2, 5), opacity=0.5)
    assert (tinted[0, 0] == 100).all()
    assert (tinted[0, 3] == np.rint(50 + COLORS[3] / 2)).all()
    with pytest.raises(ValueError, match=r"labels 0\.\.9"):
        plot.color_parsing(labels + 1)


def test_heat_maps_take_their_joints_colour() -> None:
    maps = np.full((18, 8, 8), -1.0)  # an encoding whose background is -1
    maps[4, 2, 3] = 1
    picture = plot.overlay_heatmaps(None, torch.tensor(maps), opacity=1.0)
    assert tuple(picture[2, 3]) == plot.JOINT_COLORS[4]
    assert picture.sum() == sum(plot.JOINT_COLORS[4])


def test_zero_difference_is_grey_and_the_sign_shows() -> None:
    difference = torch.zeros(3, 1, 3)
    difference[:, 0, 1], difference[:, 0, 2] = 1.0, -0.5
    picture = plot.difference_picture(difference)
    assert picture[0, :, 0].tolist() == [128, 255, 64]
    assert plot.difference_picture(difference, gain=4)[0, 2, 0] == 0


def test_a_grid_places_every_picture_and_grows_for_its_titles() -> None:
    rows = [[grey(20, 30, 10), grey(20, 30, 20)], [grey(20, 30, 30), None]]
    bare = plot.grid(rows, margin=2)
    assert bare.shape == (2 + 2 * 22, 2 + 2 * 32, 3)
    assert (bare[2:22, 2:32] == 10).all()
    assert (bare[2:22, 34:64] == 20).all()
    assert (bare[24:44, 2:32] == 30).all()
    assert (bare[24:44, 34:64] == 255).all()
    titled = plot.grid(
        rows, margin=2, row_titles=["a", "b"], column_titles=["source", "target pose"], title="Both"
    )
    assert titled.shape[0] > bare.shape[0]
    assert titled.shape[1] > bare.shape[1]
    assert (titled[-22:-2, -64:-34] == 30).all()


def test_titles_do_not_touch_the_pictures() -> None:
    rows = [[grey(64, 64, 255)] * 3] * 2
    picture = plot.grid(
        rows, row_titles=["pygmy", "pq"], column_titles=["difference map", "jogging", "y"], margin=4
    )
    assert (picture[-2 * 68 :, -3 * 68 :] == 255).all()  # white pictures stay white
    assert (picture[:1] == 255).all()
    assert (picture[:, :1] == 255).all()


def test_small_pictures_are_enlarged_crisply_and_keep_their_proportions() -> None:
    small = grey(4, 2, 0)
    small[0, 0] = 200
    picture = plot.grid([[small]], cell_size=(16, 16), margin=0)
    assert (picture[:4, 4:8] == 200).all()
    assert set(np.unique(picture)) == {0, 200, 255}


def test_sample_grid_shows_the_fixed_range() -> None:
    samples = {"source": torch.full((3, 3, 8, 8), -1.0), "coarse": torch.full((3, 3, 8, 8), 3.0)}
    picture = plot.sample_grid(samples, max_rows=2)
    assert (picture[-4 - 8 : -4, -4 - 8 : -4] == 255).all()
    assert (picture[-4 - 8 : -4, -2 * 12 : -12 - 4] == 0).all()


def test_notebook_figures() -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    plot.show_grid([[grey(8, 8)] * 2] * 3, row_titles=["a", "b", "c"], column_titles=["d", "e"])
    assert len(pyplot.gcf().axes) == 6
    plot.show_row([grey(8, 8), np.zeros((8, 8))], ["picture", "mask"])
    assert [axis.get_title() for axis in pyplot.gcf().axes] == ["picture", "mask"]
    pyplot.close("all")


def test_refuses_what_is_no_picture(pose) -> None:
    with pytest.raises(ValueError, match="uint8"):
        plot.draw_skeleton(np.zeros((8, 8, 3)), pose)
    with pytest.raises(ValueError, match="at least one picture"):
        plot.grid([[None]])
    with pytest.raises(ValueError, match="as many row titles"):
        plot.grid([[grey(4, 4)]], row_titles=["a", "b"])
    with pytest.raises(ValueError, match=r"\(3, H, W\)"):
        plot.difference_picture(np.zeros((8, 8, 3)))
