"""Progressive's ablations, measured: `python -m benchmarks.progressive_ablations --help`."""
