"""A damaged study is recognised, and repair removes what must be made anew: no less, and no more."""

import json
from pathlib import Path

import pytest

from empathy_transfer.frame.joblock import output_lock
from empathy_transfer.inspection import verify
from empathy_transfer.records.provenance import write_provenance
from fake_jobs import make, make_study

JOBS_FROM_B = {
    "results/tiny/b/result.json",
    "results/tiny/b/provenance.json",
    "results/tiny/tables/c.json",
    "results/tiny/tables/c.provenance.json",
    "results/tiny/COMPLETE.json",
    "results/tiny/COMPLETE.provenance.json",
}


@pytest.fixture
def study(tmp_path, monkeypatch):
    """The small study, in the working folder; a dict of its results' paths."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMPATHY_LOCK_WAIT", "0.1")
    return make_study()


def check(repair=False):
    return verify.verify_study(Path("results/tiny"), repair)


def test_a_sound_study_has_no_problems(study):
    Path("results/tiny/summary.json").write_text("{}")
    report = check()
    assert (report.ok, report.jobs, report.files) == (True, 6, 6)
    assert (report.problems, report.orphans, report.leftovers, report.drift) == ([], [], [], [])
    assert report.text().endswith("Nothing is damaged.")


def flip(path):
    data = bytearray(Path(path).read_bytes())
    data[len(data) // 2] ^= 1
    Path(path).write_bytes(data)


def edit_provenance(path):
    provenance = Path(path).with_name("provenance.json")
    provenance.write_text(provenance.read_text().replace('"rule": "make"', '"rule": "fake"'))


DAMAGE = {
    "a flipped bit": flip,
    "a truncated file": lambda path: Path(path).write_bytes(Path(path).read_bytes()[:-1]),
    "a missing file": lambda path: Path(path).unlink(),
    "an edited provenance": edit_provenance,
    "a missing provenance": lambda path: Path(path).with_name("provenance.json").unlink(),
    "a missing folder": lambda path: [file.unlink() for file in Path(path).parent.iterdir()],
    "a link in place of the file": lambda path: (
        Path(path).rename("moved"),
        Path(path).symlink_to(Path("moved").resolve()),
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_in_the_middle_is_found_and_all_that_follows_removed(study, damage):
    others = {path: Path(path).read_bytes() for path in (study["a"], study["d"], study["e"])}
    DAMAGE[damage](study["b"])
    found = check()
    assert not found.ok
    assert "results/tiny/b/" in found.problems[0][0]
    assert "empathy-transfer verify tiny --repair" in found.text()
    assert found.removed == []

    repaired = check(repair=True)
    assert repaired.ok
    assert not any(Path(path).exists() or Path(path).is_symlink() for path in JOBS_FROM_B)
    assert set(repaired.removed) <= JOBS_FROM_B
    assert all(Path(path).read_bytes() == content for path, content in others.items())
    assert "snakemake --cores all" in repaired.text()
    assert check().ok

    make_study()
    assert check().ok
    assert check().jobs == 6


def test_damage_at_the_start_removes_its_branch_only(study):
    flip(study["d"])
    check(repair=True)
    left = {path.as_posix() for path in Path("results").rglob("*.json")}
    assert {study["a"], study["b"], study["c"]} <= left
    assert not {study["d"], study["e"], "results/tiny/COMPLETE.json"} & left


def test_a_changed_input_makes_its_users_out_of_date(study):
    make("results/tiny/a", 100)
    report = check()
    assert [path for path, _ in report.problems] == ["results/tiny/b/provenance.json"]
    assert "earlier version of results/tiny/a/result.json" in report.problems[0][1]
    check(repair=True)
    assert Path(study["a"]).exists()
    assert not any(Path(path).exists() for path in JOBS_FROM_B)


def test_damage_that_nothing_was_made_from_still_removes_complete(study):
    lonely = make("results/tiny/lonely", 7)
    flip(lonely)
    check(repair=True)
    assert not Path("results/tiny/COMPLETE.json").exists()
    assert Path(study["c"]).exists()


def test_complete_without_provenance_is_not_trusted(study):
    Path("results/tiny/COMPLETE.provenance.json").unlink()
    assert check().problems == [("results/tiny/COMPLETE.json", "no provenance lists it")]


def test_foreign_files_are_reported_and_kept(study):
    Path("results/tiny/notes.txt").write_text("mine")
    flip(study["b"])
    report = check(repair=True)
    assert report.orphans == ["results/tiny/notes.txt"]
    assert Path("results/tiny/notes.txt").exists()


def test_leftovers_of_killed_jobs_are_cleared(study):
    Path("results/tiny/b/.result.json.1-ab.tmp").write_text("half")
    assert check().ok
    report = check(repair=True)
    assert report.removed == ["results/tiny/b/.result.json.1-ab.tmp"]
    assert report.text().endswith("Nothing is damaged.")


def test_nothing_outside_the_study_is_touched(study):
    outside = Path("outside")
    inside = Path("results/tiny/elsewhere")
    make("outside", 8)
    inside.symlink_to(outside.resolve())
    flip("outside/result.json")
    make("results/tiny/odd", 9)
    record = json.loads(Path("results/tiny/odd/provenance.json").read_text())
    record["outputs"]["../../../precious.txt"] = {"sha256": "0", "bytes": 0}
    write_provenance("results/tiny/odd/provenance.json", record)
    Path("precious.txt").write_text("keep me")
    report = check(repair=True)
    assert Path("precious.txt").read_text() == "keep me"
    assert Path("outside/result.json").exists()
    assert inside.is_symlink()
    assert not report.ok
    assert [reason for _, reason in report.kept] == ["it lies outside of the study"]


def test_a_study_may_lie_behind_a_link_or_in_another_folder(study, tmp_path):
    Path("results").rename("disk")
    Path("results").symlink_to("disk")
    assert check().ok
    flip(study["b"])
    report = verify.verify_study(tmp_path / "disk" / "tiny", repair=True)
    assert report.ok
    assert not any(Path(path).exists() for path in JOBS_FROM_B)


def test_a_running_study_is_not_repaired(study):
    flip(study["b"])
    with output_lock("results/tiny/d/provenance.json"):
        report = check(repair=True)
    assert not report.ok
    assert report.removed == []
    assert "process" in report.kept[0][0]
    assert check(repair=True).ok


def test_other_versions_are_reported_but_no_damage(study, monkeypatch):
    now = verify.package_versions()
    monkeypatch.setattr(verify, "package_versions", lambda: now | {"numpy": "99.0"})
    report = check()
    assert report.ok
    assert report.drift == [("numpy", now["numpy"], "99.0", 6)]
    assert "99.0" in report.text()
