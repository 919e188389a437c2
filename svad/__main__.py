"""`python -m svad`: the command line."""

from __future__ import annotations

import sys

from svad.cli import main

sys.exit(main())
