"""Unit tests compute with tiny tensors, for which a second thread costs more than it gives."""

import os

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
# The same examples in every run, and no limit on the time of one, which a busy machine would exceed.
settings.register_profile("unit", deadline=None, derandomize=True)
settings.load_profile("unit")


@pytest.fixture(scope="session")
def truth():
    """The pairs and claims of the published study, as the benchmark of the validation reads them."""
    from study_copy import load_benchmark

    return load_benchmark("validation").published_truth()
