"""SPT's tables of scores, and the whole of its study."""

from benchmarks.ablations.study import Experiment, Study
from benchmarks.spt_ablations.material import EFFORT
from benchmarks.spt_ablations.paper import CLAIMS, PAPER
from benchmarks.spt_ablations.scoring import BACKGROUND, SCORES
from benchmarks.spt_ablations.variants import SIZE, VARIANTS

_MAPS = ("map_accuracy", "map_iou", "limb_iou", "pieces")
_PERSON = ("ssim", "mask_ssim", "foreground_ssim", "foreground_l1", "pckh", "sharpness")

EXPERIMENTS = (
    Experiment(
        "table3",
        "Table 3: with and without maps, in stages and end to end",
        {
            "Baseline": "baseline",
            "TS-Pred": "ts-predicted",
            "TS-GT": "ts-true",
            "E2E": "e2e",
            "E2E, held to pseudo-labels (ours)": "e2e-held",
        },
        (*_PERSON, "map_accuracy", "map_iou"),
        ("Table 3, DeepFashion", "Table 3, Market-1501"),
    ),
    Experiment(
        "table4",
        "Table 4: where H_S has its targets from",
        {
            "N = 100": "candidates-100",
            "N = 500": "semantic",
            "N = 1000": "candidates-1000",
            "true partners": "true-pairs",
        },
        ("found_truth", *_MAPS),
        ("Table 4",),
    ),
    Experiment(
        "fig10",
        "Fig. 10: what H_S sees and is judged by",
        {
            "without pose masks": "no-pose-masks",
            "without heat maps": "no-heat-maps",
            "without adversarial loss": "no-map-adversary",
            "all": "semantic",
        },
        _MAPS,
    ),
    Experiment(
        "fig11",
        "Fig. 11: the weight of cross-entropy in H_S",
        {f"lambda_ce = {VARIANTS[n].config().ce_weight:g}": n for n in ("ce-0.1", "ce-1", "ce-10")}
        | {f"lambda_ce = {VARIANTS[n].config().ce_weight:g}": n for n in ("semantic", "ce-1000")},
        _MAPS,
    ),
    Experiment(
        "fig12",
        "Fig. 12: style and face loss (TS-GT)",
        {
            "style by body-part masks": "style-mask",
            "style by patches": "style-patch",
            "without face loss": "no-face-loss",
            "full": "drawn-true",
        },
        (*_PERSON[1:], "face_l1", "face_sharpness"),
    ),
    Experiment(
        "fig13",
        "Fig. 13: losses on the recovered image",
        {
            "TS-GT, without its style loss": "no-recovered-style",
            "TS-GT, without its adversarial loss": "no-recovered-adversary",
            "TS-GT, without both": "no-recovered-losses",
            "TS-GT": "drawn-true",
            "E2E, without its adversarial loss": "e2e-unjudged",
            "E2E": "e2e",
        },
        (*_PERSON[1:], "recovered_l1", "recovered_sharpness", "map_iou"),
    ),
    Experiment(
        "fig14",
        "Fig. 14: coarser maps",
        {
            "true maps": "drawn-true",
            **{f"downsampled {times} times": f"coarse-{times}" for times in (2, 4, 8, 16)},
            "predicted maps": "drawn-predicted",
        },
        _PERSON[1:],
    ),
    Experiment(
        "fig15",
        "Figs. 15 and 16: the background",
        {
            "none: G_A draws all": "no-background-network",
            "classical inpainting (biharmonic)": "inpainted",
            "a network trained on scenes alone": "scenes-alone",
            "without auxiliary scenes": "no-scenes",
            "full": "drawn-true",
        },
        tuple(BACKGROUND),
    ),
)
STUDY = Study(
    "spt",
    "benchmarks.spt_ablations",
    VARIANTS,
    EXPERIMENTS,
    CLAIMS,
    PAPER,
    SCORES,
    SIZE,
    EFFORT,
)
