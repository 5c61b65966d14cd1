"""``python -m geoinfluencer``: the same as the ``geoinfluencer`` command."""

import sys

from geoinfluencer.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
