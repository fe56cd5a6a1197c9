"""`python -m picoworkers_async`: the command line, where `picoworkers` is not on the path."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
