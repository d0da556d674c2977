"""Unit tests compute with tiny tensors, for which a second thread costs more than it gives."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
