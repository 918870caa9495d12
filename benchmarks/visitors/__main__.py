"""`python -m benchmarks.visitors`."""

import sys

from benchmarks.visitors.measure import main

if __name__ == "__main__":
    sys.exit(main())
