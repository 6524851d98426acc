"""`python -m doorcode` is `doorcode`."""

import sys

from doorcode.cli import main

if __name__ == "__main__":
    sys.exit(main())
