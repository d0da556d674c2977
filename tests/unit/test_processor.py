"""The processor as the system tells of it."""

import pytest

from empathy_transfer.models import processor

INTEL = "processor\t: 0\nmodel name\t: M 9: the fast\nflags\t\t: fpu avx2\n\nprocessor\t: 1\nflags\t\t: none\n"
ARM = "processor\t: 0\nFeatures\t: asimd bf16\n\n"


@pytest.fixture
def cpuinfo(tmp_path, monkeypatch):
    """A file in the place of the system's own."""
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(processor, "Path", lambda _: path)
    monkeypatch.setattr(processor, "description", processor.description.__wrapped__)
    return path


def test_the_first_processor_is_described(cpuinfo):
    cpuinfo.write_text(INTEL)
    assert processor.description()["model name"] == "M 9: the fast"
    assert processor.instructions() == {"fpu", "avx2"}


def test_other_makers_list_features(cpuinfo):
    cpuinfo.write_text(ARM)
    assert processor.instructions() == {"asimd", "bf16"}


def test_a_system_without_such_a_file_tells_nothing(cpuinfo):
    assert processor.description() == {}
    assert processor.instructions() == set()
