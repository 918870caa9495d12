"""What the paper says its ablations show: its numbers, and its claims as comparisons of our variants.

The paper scores pictures by IS, SSIM and FID. IS and FID need weights that must be downloaded, and the SSIM
of whole pictures is mostly background, so mask-SSIM decides here, and L1 on the pixels that a claim is about.
A claim that something matters little needs a yardstick: half of what one other variant gains on another.
"""

from benchmarks.ablations.study import Claim

# Song et al., TPAMI 2021: table -> row -> column -> number.
PAPER: dict[str, dict[str, dict[str, float]]] = {
    "Table 3, DeepFashion": {
        "Baseline": {"IS": 3.140, "SSIM": 0.698, "FID": 15.443},
        "TS-Pred": {"IS": 3.201, "SSIM": 0.724, "FID": 13.881},
        "TS-GT": {"IS": 3.350, "SSIM": 0.740, "FID": 12.386},
        "E2E": {"IS": 3.441, "SSIM": 0.736, "FID": 12.225},
    },
    "Table 3, Market-1501": {
        "Baseline": {"IS": 2.776, "SSIM": 0.157, "mask-IS": 2.814, "mask-SSIM": 0.714, "FID": 75.436},
        "TS-Pred": {"IS": 3.462, "SSIM": 0.180, "mask-IS": 3.546, "mask-SSIM": 0.740, "FID": 66.858},
        "TS-GT": {"IS": 3.472, "SSIM": 0.200, "mask-IS": 3.675, "mask-SSIM": 0.749, "FID": 58.877},
        "E2E": {"IS": 3.499, "SSIM": 0.203, "mask-IS": 3.680, "mask-SSIM": 0.758, "FID": 56.442},
    },
    "Table 4": {
        "N = 100": {"truth, %": 0.09, "accuracy, %": 73.57, "mIoU": 0.476},
        "N = 500": {"truth, %": 0.29, "accuracy, %": 75.01, "mIoU": 0.473},
        "N = 1000": {"truth, %": 0.37, "accuracy, %": 74.56, "mIoU": 0.474},
        "ground truth": {"accuracy, %": 76.66, "mIoU": 0.495},
    },
}


_MAPS = ("drawn-predicted", "drawn-true")  # what following the true map gains on following the predicted one
_DATA = ("semantic", "true-pairs")  # what true partners gain on pseudo-labels

CLAIMS = (
    Claim(
        "Table 3, DeepFashion",
        "drawing by semantic maps (TS-Pred) beats drawing without (Baseline)",
        ("Baseline", "TS-Pred", "SSIM"),
        "mask_ssim",
        "ts-predicted",
        "baseline",
    ),
    Claim(
        "Table 3, DeepFashion",
        "errors of the predicted map cost quality (TS-GT beats TS-Pred)",
        ("TS-Pred", "TS-GT", "SSIM"),
        "mask_ssim",
        "ts-true",
        "ts-predicted",
    ),
    Claim(
        "Table 3, DeepFashion",
        "end-to-end training (E2E) beats two stages (TS-Pred)",
        ("TS-Pred", "E2E", "SSIM"),
        "mask_ssim",
        "e2e",
        "ts-predicted",
    ),
    Claim(
        "Table 3, DeepFashion",
        "E2E is comparable with TS-GT",
        ("TS-GT", "E2E", "SSIM"),
        "mask_ssim",
        "e2e",
        "ts-true",
        "not worse",
        yardstick=("ts-predicted", "ts-true"),
    ),
    Claim(
        "Fig. 9",
        "end-to-end training refines the map",
        "haircut, sleeves, arms refined",
        "map_iou",
        "e2e",
        "ts-predicted",
    ),
    Claim(
        "Table 4",
        "true partners teach better maps than pseudo-labels",
        ("N = 500", "ground truth", "mIoU"),
        "map_iou",
        "true-pairs",
        "semantic",
    ),
    Claim(
        "Table 4",
        "N = 100 does as well as 500",
        ("N = 500", "N = 100", "mIoU"),
        "map_iou",
        "candidates-100",
        "semantic",
        "same",
        yardstick=_DATA,
    ),
    Claim(
        "Table 4",
        "N = 1000 does as well as 500",
        ("N = 500", "N = 1000", "mIoU"),
        "map_iou",
        "candidates-1000",
        "semantic",
        "same",
        yardstick=_DATA,
    ),
    Claim(
        "Table 4",
        "the search with N = 500 finds the truth for less than 1 % of people",
        ("N = 500", "truth, %"),
        "found_truth",
        "semantic",
        kind="below",
        bound=1.0,
    ),
    Claim(
        "Fig. 10a", "without pose masks, limbs break", "broken limbs", "pieces", "semantic", "no-pose-masks"
    ),
    Claim(
        "Fig. 10b", "without heat maps, maps fail", "unnatural maps", "map_iou", "semantic", "no-heat-maps"
    ),
    Claim(
        "Fig. 10c",
        "without adversarial loss, body structure is overlooked",
        "unrealistic maps",
        "pieces",
        "semantic",
        "no-map-adversary",
    ),
    Claim(
        "Fig. 11",
        "maps improve as lambda_ce grows from 0.1 to 100",
        "accuracy and mIoU rise",
        "map_iou",
        "semantic",
        "ce-0.1",
    ),
    Claim("Fig. 11", "lambda_ce = 1000 is too large", "both fall at 1000", "map_iou", "semantic", "ce-1000"),
    Claim(
        "Fig. 12a",
        "semantic-aware style beats style by body-part masks",
        "blurred contours with masks",
        "foreground_l1",
        "drawn-true",
        "style-mask",
    ),
    Claim(
        "Fig. 12b",
        "semantic-aware style beats style by patches at the joints",
        "main body parts overlooked with patches",
        "foreground_l1",
        "drawn-true",
        "style-patch",
    ),
    Claim(
        "Fig. 12c",
        "the face loss makes faces truer",
        "unnatural faces without",
        "face_l1",
        "drawn-true",
        "no-face-loss",
    ),
    Claim(
        "Fig. 12c",
        "the face loss makes faces sharper",
        "unnatural faces without",
        "face_sharpness",
        "drawn-true",
        "no-face-loss",
    ),
    Claim(
        "Fig. 13c",
        "style and adversarial loss on the recovered image matter little to the result (TS-GT)",
        "not much impact",
        "mask_ssim",
        "no-recovered-losses",
        "drawn-true",
        "same",
        yardstick=_MAPS,
    ),
    Claim(
        "Fig. 13b",
        "without its adversarial loss, the recovered image is worse",
        "degradation",
        "recovered_sharpness",
        "drawn-true",
        "no-recovered-adversary",
    ),
    Claim(
        "Fig. 13b",
        "without it, end-to-end training is unstable",
        "unstable training",
        "foreground_l1",
        "e2e",
        "e2e-unjudged",
    ),
    Claim(
        "Fig. 14",
        "maps downsampled 4 times still serve: better than predicted ones",
        "minor errors handled",
        "mask_ssim",
        "coarse-4",
        "drawn-predicted",
    ),
    Claim(
        "Fig. 14",
        "maps downsampled 8 times do not: worse than predicted ones",
        "unrealistic results",
        "mask_ssim",
        "drawn-predicted",
        "coarse-8",
    ),
    Claim(
        "Fig. 15a",
        "without a background network, the background is not kept",
        "background ignored",
        "background_l1",
        "drawn-true",
        "no-background-network",
    ),
    Claim(
        "Figs. 15b, 16",
        "the network beats classical inpainting (biharmonic; in the paper PatchMatch)",
        "holes left",
        "hole_l1",
        "drawn-true",
        "inpainted",
    ),
    Claim(
        "Figs. 15c, 16",
        "it beats a network trained on scenes alone",
        "artifacts by the domain gap",
        "hole_l1",
        "drawn-true",
        "scenes-alone",
    ),
    Claim(
        "Fig. 15d",
        "it beats training without auxiliary scenes",
        "incoherent textures without",
        "hole_l1",
        "drawn-true",
        "no-scenes",
    ),
)
