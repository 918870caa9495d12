"""`pgt` with an untrained VGG in place of ImageNet's, for presets whose losses would download it."""

import sys
from unittest.mock import patch

from benchmarks.cost import untrained_layers
from pgt.__main__ import main

if __name__ == "__main__":
    with patch("pgt.layers.features._imagenet_layers", untrained_layers):
        sys.exit(main())
