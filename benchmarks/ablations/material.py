"""People to train on and pairs to score on, rendered once, and the judges."""

import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from benchmarks.ablations.study import Effort
from pgt.checkpoint import WEIGHTS, find, load
from pgt.commands.common import bundled
from pgt.data.pairs import CachedPeople
from pgt.data.person import Pair
from pgt.models.pose_estimator import PoseEstimator
from pgt.synthetic.people import SyntheticPeople

JUDGES = ("pose-estimator", "human-parser")


class People:
    """The people of all variants, made once and kept in a folder.

    Args:
        folder: where; several processes may read it once `prepare` is through.
        effort: how many.
        size: (H, W) of their pictures.
        scene: where they stand, see `SyntheticPeople`.
        poses: of each to train on; to score on, everyone is seen in two.
    """

    def __init__(self, folder: Path, effort: Effort, size: tuple[int, int], scene: str, poses: int) -> None:
        self.folder, self.effort = folder, effort
        self.size, self.scene, self.poses = size, scene, poses

    @cached_property
    def people(self) -> CachedPeople:
        """Those to train on."""
        people = SyntheticPeople("train", self.size, self.scene, self.effort.identities, self.poses)
        return people.cached(self.folder / "people", keep=("label_map",))

    @cached_property
    def pairs(self) -> Sequence[Pair]:
        """Unseen people, each in two poses."""
        unseen = SyntheticPeople("test", self.size, self.scene, self.effort.pairs, 2)
        cached = unseen.cached(self.folder / "people")
        cached.fill(progress=False)
        return [Pair(cached.person(i, 0), cached.person(i, 1), str(i)) for i in range(cached.num_identities)]

    def prepare(self) -> None:
        """Render whatever is missing, so that others need only read."""
        self.people.fill()
        print(f"{len(self.pairs)} pairs to score on", flush=True)


def judge() -> PoseEstimator:
    """Load the pose estimator that scores, and in SPT also guides."""
    return load(bundled(JUDGES[0]), quiet=True)


def checksums() -> dict[str, int]:
    """Return the CRC-32 of the weights that all results depend on."""
    folders = {name: find(bundled(name))[0] for name in JUDGES}
    return {name: zlib.crc32((folder / WEIGHTS).read_bytes()) for name, folder in folders.items()}
