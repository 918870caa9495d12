"""MR-Net's ablations, measured: `python -m benchmarks.mrnet_ablations --help`."""
