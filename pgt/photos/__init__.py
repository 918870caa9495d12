"""Photographs: opening them safely, finding the person, framing, and pasting results back.

`person_from_photo` is the road from a file to a `Person`. Joints come from a JSON file (`Pose.to_json`'s or
OpenPose's), a keypoint CSV, a `Pose`, or a detector; masks and labels from files or networks, where wanted.
Networks are imported and their weights downloaded when first used. Coordinates are those of the upright
picture: the orientation in its EXIF data has been applied.
"""

from pgt.photos.detectors import DetectedPerson as DetectedPerson
from pgt.photos.detectors import Detector as Detector
from pgt.photos.detectors import DetectorUnavailableError as DetectorUnavailableError
from pgt.photos.detectors import detect_people as detect_people
from pgt.photos.detectors import main_person as main_person
from pgt.photos.detectors import segment_people as segment_people
from pgt.photos.framing import Frame as Frame
from pgt.photos.framing import find_frame as find_frame
from pgt.photos.framing import frame_person as frame_person
from pgt.photos.framing import paste_back as paste_back
from pgt.photos.people import Finders as Finders
from pgt.photos.people import detect_pose as detect_pose
from pgt.photos.people import person_from_photo as person_from_photo
from pgt.photos.reading import open_photo as open_photo
from pgt.photos.reading import read_person_mask as read_person_mask
from pgt.photos.reading import read_pose_file as read_pose_file
from pgt.photos.reading import says_its_size as says_its_size
from pgt.photos.transformer_models import Parser as Parser
from pgt.photos.transformer_models import load_clothes_parser as load_clothes_parser
from pgt.photos.transformer_models import load_vitpose as load_vitpose
