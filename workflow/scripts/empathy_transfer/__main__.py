"""`python -m empathy_transfer`: the same as the command `empathy-transfer`."""

import sys

from empathy_transfer.cli import main

sys.exit(main())
