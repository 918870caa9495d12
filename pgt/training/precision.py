"""Which number format computes faster: bfloat16 is much faster on some CPUs, slower on others."""

import time
from functools import cache

import torch
import torch.nn.functional as F

_WORTH = 0.8  # bfloat16 rounds to three digits: it must save at least a fifth of the time


@cache
def faster_precision(device: str | torch.device | None = None) -> str:
    """Return "bf16" where a convolution measures clearly faster in it than in float32, otherwise "no".

    Without a device it is the one that a training takes by itself, a GPU where there is one. Measured once,
    in some hundredths of a second; the answer is a `precision` for `pgt.training.engine.fit`.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    times = {name: _seconds(kind, device) for name, kind in (("no", torch.float32), ("bf16", torch.bfloat16))}
    return "bf16" if times["bf16"] < _WORTH * times["no"] else "no"


def _seconds(dtype: torch.dtype, device: str | torch.device) -> float:
    """Return the shortest of some times of a 3x3 convolution of the size that small models have."""
    images = torch.ones(8, 64, 32, 32, dtype=dtype, device=device).to(memory_format=torch.channels_last)
    kernel = torch.ones(64, 64, 3, 3, dtype=dtype, device=device).to(memory_format=torch.channels_last)
    times = []
    with torch.inference_mode():
        for _ in range(6):  # the first ones choose and warm up the kernels
            started = time.perf_counter()
            # Reading one value waits for the device.
            F.conv2d(images, kernel, padding=1)[0, 0, 0, 0].item()
            times.append(time.perf_counter() - started)
    return min(times)
