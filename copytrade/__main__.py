"""`python -m copytrade`: the command."""

import sys

from copytrade.cli import main

if __name__ == "__main__":
    sys.exit(main())
