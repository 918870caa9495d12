"""`pgt train --augment` and `--photos`: synthetic people made more like photos, and photos mixed in."""

import argparse
from pathlib import Path

from pgt.commands.common import reader_of
from pgt.data.augmentation import AUGMENTATIONS, AugmentedPairs
from pgt.data.mixed import MixedPairs, SelfPairs
from pgt.data.pairs import PairDataset
from pgt.data.person import Person
from pgt.data.pose import TORSO_JOINTS
from pgt.data.readers.catalogue import open_people
from pgt.data.readers.folder import PeopleFolder

LEARNERS = ("pg2", "mrnet", "progressive", "pose-estimator")  # can learn from a photo as its own target
WHOLE = ("mrnet",)  # draw people in scenes: their photos are not cut


class FramedPhotos:
    """People of a folder with a keypoint CSV, or of a dataset, fitted into a model's frame; a sequence.

    Args:
        root: see `PeopleFolder`; or NAME:FOLDER of a dataset (`pgt.data.readers.catalogue`), of which the
            split "train" is taken.
        image_size: (H, W) of the frame; photos of other proportions are padded by their edges.
        whole: leave photos uncut; otherwise people are cut out where they are small.

    Raises:
        ValueError: nobody shows both shoulders and both hips.
    """

    def __init__(self, root: str | Path, image_size: tuple[int, int], *, whole: bool = False) -> None:
        self.image_size, self.whole = tuple(image_size), whole
        reader, path = reader_of(str(root))
        self.folder = PeopleFolder(path) if reader is None else open_people(reader, path, "train")
        torso = list(TORSO_JOINTS)
        self.names = [name for name, (_, visible) in self.folder.joints.items() if visible[torso].all()]
        if not self.names:
            raise ValueError(f"Nobody in {root} shows both shoulders and both hips.")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Person:
        from pgt.photos import frame_person
        from pgt.predictor import fit_person

        person = self.folder.person(self.names[index])
        framed = person if self.whole else frame_person(person, self.image_size)
        return fit_person(framed, self.image_size)


def varied_pairs(
    arguments: argparse.Namespace, pairs: PairDataset, image_size: tuple[int, int]
) -> PairDataset:
    """Change pairs as `--augment` says, and mix in the photos of `--photos`, which stay as they are.

    Raises:
        ValueError: the approach cannot learn from single photos, or nobody in them will do.
        FileNotFoundError: no such folder, or none of what it needs in it.
    """
    if arguments.augment:
        scenes = None
        if arguments.scenes:
            from pgt.data.readers.pictures import PictureFolder

            scenes = PictureFolder(arguments.scenes)
        pairs = AugmentedPairs(pairs, AUGMENTATIONS[arguments.augment], scenes, seed=arguments.seed)
    if not arguments.photos:
        return pairs
    if arguments.approach not in LEARNERS:
        known = ", ".join(LEARNERS)
        raise ValueError(f"{arguments.approach} cannot learn from single photos; {known} can.")
    photos = FramedPhotos(arguments.photos, image_size, whole=arguments.approach in WHOLE)
    return MixedPairs(pairs, SelfPairs(photos, seed=arguments.seed), arguments.photo_share)


def variety_facts(arguments: argparse.Namespace) -> dict[str, object]:
    """Say what of `varied_pairs` decides what is learnt: for the run folder and the model card."""
    facts: dict[str, object] = {"augmentation": arguments.augment} if arguments.augment else {}
    if arguments.augment and arguments.scenes:
        facts["backgrounds"] = Path(arguments.scenes).resolve().name
    if arguments.photos:
        facts |= {"photos": Path(arguments.photos).resolve().name, "photo share": arguments.photo_share}
    return facts
