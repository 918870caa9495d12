"""SPT's ablations, measured: `python -m benchmarks.spt_ablations --help`."""
