"""What the paper says its ablations show: its numbers, and its claims as comparisons of our variants.

The paper scores pictures by IS, FID, SSIM, mask-SSIM and LPIPS. IS, FID and LPIPS need weights that must be
downloaded. People in non-iconic views are small, so that mask-SSIM mostly compares black with black; on Penn
Action the paper therefore measures it inside the person's box. Where it has mask-SSIM, the SSIM inside the
person's mask decides here, SSIM where it has that, and L1 where a claim is about certain pixels.
"""

from benchmarks.ablations.study import Claim

PENN, BBC, MARKET = "Table III, Penn Action", "Table III, BBC-Pose", "Table IV, Market-1501"
FULL = "full (3 rounds, 0.5, 0.05)"
_COLUMNS = ("IS", "FID", "SSIM", "M-SSIM", "LPIPS")
# Xu et al., TIP 2020, row by row: what it differs in -> Penn Action, BBC-Pose, Market-1501.
_ROWS: dict[str, tuple[tuple[float, ...], ...]] = {
    "1 round": (
        (6.366, 28.717, 0.724, 0.945, 0.110),
        (1.509, 149.264, 0.433, 0.869, 0.381),
        (2.639, 89.827, 0.299, 0.631, 0.311),
    ),
    "2 rounds": (
        (6.856, 32.241, 0.701, 0.946, 0.106),
        (1.543, 127.649, 0.454, 0.872, 0.350),
        (2.831, 81.165, 0.291, 0.788, 0.308),
    ),
    "without RoI loss": (
        (6.922, 35.464, 0.702, 0.944, 0.121),
        (1.571, 106.981, 0.407, 0.863, 0.338),
        (2.498, 115.307, 0.297, 0.791, 0.330),
    ),
    "one path": (
        (6.509, 40.291, 0.691, 0.942, 0.119),
        (1.708, 109.187, 0.527, 0.892, 0.353),
        (2.486, 87.244, 0.286, 0.785, 0.316),
    ),
    "without non-local": (
        (6.554, 37.236, 0.693, 0.945, 0.116),
        (1.707, 120.439, 0.496, 0.891, 0.367),
        (2.597, 90.005, 0.292, 0.788, 0.351),
    ),
    "lambda_1 = 0": (
        (5.309, 86.257, 0.556, 0.927, 0.287),
        (1.764, 129.562, 0.454, 0.876, 0.353),
        (2.339, 175.232, 0.203, 0.844, 0.434),
    ),
    "lambda_1 = 0.1": (
        (6.149, 34.045, 0.636, 0.952, 0.115),
        (1.767, 107.019, 0.468, 0.877, 0.348),
        (2.929, 79.786, 0.228, 0.851, 0.372),
    ),
    "lambda_2 = 0.15": (
        (6.772, 23.542, 0.734, 0.957, 0.153),
        (1.689, 103.307, 0.479, 0.880, 0.351),
        (2.548, 203.361, 0.251, 0.847, 0.483),
    ),
    "lambda_2 = 0.5": (
        (6.512, 39.817, 0.629, 0.930, 0.183),
        (1.719, 110.238, 0.497, 0.882, 0.353),
        (2.659, 157.694, 0.239, 0.806, 0.462),
    ),
    FULL: (
        (6.868, 18.583, 0.751, 0.962, 0.110),
        (1.751, 95.114, 0.527, 0.892, 0.321),
        (2.831, 52.841, 0.302, 0.857, 0.296),
    ),
}
PAPER: dict[str, dict[str, dict[str, float]]] = {
    table: {row: dict(zip(_COLUMNS, tables[k], strict=True)) for row, tables in _ROWS.items()}
    for k, table in enumerate((PENN, BBC, MARKET))
}


def _of_the_tables(text: str, row: str, rival: str, *, column: str = "M-SSIM", better: str = FULL) -> Claim:
    """Make a claim of two rows that all three tables have: `better`, the full model by default, wins."""
    score = {"M-SSIM": "foreground_ssim", "SSIM": "ssim"}[column]
    ours = {FULL: "full", "2 rounds": "rounds-2"}[better]
    tables = (PENN, BBC, MARKET)
    return Claim("Tables III, IV", text, (row, better, column), score, ours, rival, tables=tables)


CLAIMS = (
    _of_the_tables("two rounds beat one", "1 round", "rounds-1", better="2 rounds"),
    _of_the_tables("three rounds beat two", "2 rounds", "rounds-2"),
    _of_the_tables("three rounds beat one", "1 round", "rounds-1"),
    _of_the_tables("three rounds beat one, all of the picture", "1 round", "rounds-1", column="SSIM"),
    Claim(
        "Fig. 8",
        "rounds fill in where the person was",
        "black areas left after 1 and 2 rounds",
        "hole_l1",
        "full",
        "rounds-1",
    ),
    Claim(
        "Fig. 8",
        "the same without our blending",
        "black areas left after 1 and 2 rounds",
        "hole_l1",
        "unblended-3",
        "unblended-1",
    ),
    Claim(
        "Fig. 8",
        "one round distorts people (without our blending)",
        "severe distortion with 1 round",
        "foreground_ssim",
        "unblended-3",
        "unblended-1",
    ),
    Claim(
        "Fig. 10",
        "more than three rounds improve further",
        "results further improved",
        "foreground_ssim",
        "rounds-5",
        "full",
    ),
    _of_the_tables("the RoI loss draws people better", "without RoI loss", "no-roi"),
    Claim(
        "Fig. 8",
        "without RoI loss, who it is gets lost",
        "identity of the body not learnt",
        "foreground_l1",
        "full",
        "no-roi",
    ),
    _of_the_tables("two paths beat one", "one path", "one-path"),
    Claim(
        "Fig. 8",
        "two paths help to follow complex poses",
        "focus on corresponding parts",
        "pckh",
        "full",
        "one-path",
    ),
    _of_the_tables("non-local blocks help", "without non-local", "no-non-local"),
    _of_the_tables("the perceptual loss is necessary", "lambda_1 = 0", "lambda1-0"),
    _of_the_tables(
        "the perceptual loss is necessary, all of the picture", "lambda_1 = 0", "lambda1-0", column="SSIM"
    ),
    _of_the_tables("lambda_1 = 0.5 beats 0.1", "lambda_1 = 0.1", "lambda1-0.1"),
    _of_the_tables("lambda_2 = 0.05 beats 0.15", "lambda_2 = 0.15", "lambda2-0.15"),
    _of_the_tables("lambda_2 = 0.05 beats 0.5", "lambda_2 = 0.5", "lambda2-0.5"),
    Claim(
        "Section IV-D.5",
        "a large lambda_2 draws people at the cost of the background",
        "background omitted",
        "background_l1",
        "full",
        "lambda2-0.5",
    ),
)
