"""A synthetic person in motion: true pictures, poses, labels and masks of every frame of a film."""

from dataclasses import replace

from pgt.synthetic.camera import draw_camera
from pgt.synthetic.draw import Draw
from pgt.synthetic.motions import motion
from pgt.synthetic.people import SyntheticPeople, SyntheticPerson, render_people
from pgt.synthetic.skeleton import joints_18

YAW = 0.5  # the usual turn of the person, radians


def film(
    people: SyntheticPeople, identity: int, name: str, num_frames: int, *, yaw: float = YAW
) -> list[SyntheticPerson]:
    """Render one person through a motion, under the one camera that keeps every frame in the picture.

    Args:
        people: give identity, clothes, background, picture size and the stream of manners (see `motion`).
        identity: of the person; also the seed of the manner of moving.
        name: of the motion, one of `pgt.synthetic.motions.MOTIONS`.
        num_frames: of the loop, at least 2; motions are made for about 25 frames a second.
        yaw: the person's turn in radians; 0 faces the viewer, +pi/2 the image's right.

    Raises:
        ValueError: an unknown motion, or fewer than 2 frames.
    """
    spec = people.spec(identity, 0)
    body = spec.identity.proportions
    poses = motion(name, num_frames, identity, body, split=people.split)
    framing = "plain" if people.scene == "mixed" else people.scene
    cameras = [
        draw_camera(Draw(identity), framing, joints_18(body, pose.frames(body)), yaw=yaw, shot="full")
        for pose in poses
    ]
    camera = min(cameras, key=lambda one: one.scale)
    return render_people([replace(spec, pose=pose, camera=camera) for pose in poses], people.image_size)
