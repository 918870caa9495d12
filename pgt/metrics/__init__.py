"""How near a generated picture is to the true one: SSIM and its masked kin, PSNR, L1, PCK, and many more.

All pictures are (B, 3, H, W) in [0, 1]; masks are (B, 1, H, W) in [0, 1] and always the *target's*. Every
function gives a `Score`: one number per picture, and the protocol it was measured by, because the same name
hides different windows, data ranges and masks in different papers. Computed in double precision: SSIM
subtracts nearly equal numbers. FID, KID and the Inception Score compare sets of pictures, not pictures: see
`SetScores`. No network is loaded here: what a network has to say is given.

Two notes on masks. Papers' mask-SSIM multiplies both pictures by the mask and averages over the *whole*
picture, so most of it compares black with black: `mask_ssim` does that, `foreground_ssim` averages inside the
mask alone. And the released PG2 code reads the source's mask for it; here, as in the paper and everywhere
else, it is the target's.
"""

from pgt.metrics.errors import foreground_l1 as foreground_l1
from pgt.metrics.errors import l1 as l1
from pgt.metrics.errors import psnr as psnr
from pgt.metrics.errors import sharpness as sharpness
from pgt.metrics.joints import pck as pck
from pgt.metrics.joints import pckh as pckh
from pgt.metrics.learned import SEED as SEED
from pgt.metrics.learned import SetScores as SetScores
from pgt.metrics.learned import detection_score as detection_score
from pgt.metrics.learned import lpips as lpips
from pgt.metrics.score import Score as Score
from pgt.metrics.segmentation import label_confusion as label_confusion
from pgt.metrics.segmentation import mean_iou as mean_iou
from pgt.metrics.segmentation import pixel_accuracy as pixel_accuracy
from pgt.metrics.structure import foreground_ssim as foreground_ssim
from pgt.metrics.structure import local_ssim as local_ssim
from pgt.metrics.structure import mask_ssim as mask_ssim
from pgt.metrics.structure import ms_ssim as ms_ssim
from pgt.metrics.structure import ssim as ssim
