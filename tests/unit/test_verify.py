"""A damaged study is recognised, and repair removes what must be made anew: no less, and no more."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pandas
import pytest

from empathy_transfer.frame.joblock import output_lock
from empathy_transfer.inspection import run_summary, verify
from empathy_transfer.records.provenance import write_provenance
from empathy_transfer.records.runs import TransferRun
from fake_jobs import make, make_study
from finished_runs import finish_run, score_runs
from other_users import as_other_user, as_root, folder_for_all
from study_copy import load_benchmark

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
    report = check()
    assert (report.ok, report.jobs, report.files) == (True, 6, 6)
    assert (report.problems, report.unfinished, report.unchecked) == ([], [], [])
    assert (report.orphans, report.leftovers, report.drift) == ([], [], [])
    assert report.text().endswith("Nothing is damaged.")


def test_the_commands_to_go_on_have_what_the_study_was_planned_with(study, monkeypatch):
    plan = {"configfiles": ["config/a.yaml", "config/b.yaml"], "config": ["study=tiny"], "raw_dir": None}
    monkeypatch.setenv("EMPATHY_PLAN", json.dumps(plan))
    make("results/tiny/f", 7)
    command = "snakemake --cores all --configfile config/a.yaml config/b.yaml --config study=tiny"
    make("results/tiny/a", 100)
    assert check().text().endswith(f"The study is not finished; go on with: {command}")
    Path("results/tiny/a/result.json").unlink()
    assert check(repair=True).text().endswith(f"Make them anew with: {command}")


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


def test_an_input_that_changed_unseen_makes_its_users_out_of_date(study):
    """Such as one from a backup with its old time: the workflow engine would see nothing to do."""
    make("results/tiny/a", 100)
    os.utime(study["a"], (0, 0))
    report = check()
    assert [path for path, _ in report.problems] == ["results/tiny/b/provenance.json"]
    assert "earlier version of results/tiny/a/result.json" in report.problems[0][1]
    check(repair=True)
    assert Path(study["a"]).exists()
    assert not any(Path(path).exists() for path in JOBS_FROM_B)


def take_completion_away():
    """The study as it was before it was ever complete."""
    for path in Path("results/tiny").glob("COMPLETE*"):
        path.unlink()


@pytest.mark.parametrize("name", ["a", "d"])
@pytest.mark.parametrize("complete", [True, False])
def test_what_a_stage_made_anew_leaves_the_rest_unfinished_and_not_damaged(study, name, complete):
    if not complete:
        take_completion_away()
    make(f"results/tiny/{name}", 100)
    user = {"a": "results/tiny/b/provenance.json", "d": "results/tiny/tables/e.provenance.json"}[name]
    for repair in (False, True):
        report = check(repair)
        assert (report.ok, report.problems, report.removed) == (True, [], [])
        assert report.unfinished == [(user, f"its results were made from an earlier version of {study[name]}")]
    words = "Nothing is damaged. The study is not finished; go on with: snakemake --cores all"
    assert report.text().endswith(words)


def test_a_study_that_was_never_complete_misses_what_a_run_has_not_made_yet(study):
    """Of a job that failed when it was to make its results anew nothing is left, but older results may be."""
    for path in [*Path("results/tiny").glob("COMPLETE*"), *Path("results/tiny/b").iterdir()]:
        path.unlink()
    report = check()
    assert (report.ok, report.problems) == (True, [])
    assert report.unfinished == [(study["b"], "it is missing, although results were made from it")]
    # Where all was done, nobody would make it anew.
    make("results/tiny", 6, study["c"], name="COMPLETE.json", provenance="COMPLETE.provenance.json")
    assert [path for path, _ in check().problems] == [study["b"]]


def test_a_job_that_runs_or_was_killed_has_no_provenance_yet_and_damages_nothing(study):
    for path in Path("results/tiny/b").iterdir():
        path.unlink()
    with output_lock("results/tiny/b/provenance.json"):
        report = check()
        assert (report.ok, report.problems, report.unfinished[0][0]) == (True, [], study["b"])
    Path(study["b"]).write_text("half a result")
    report = check()
    assert (report.ok, report.problems, report.unfinished[0][0]) == (True, [], study["b"])
    half = Path(study["b"]).read_bytes()
    report = check(repair=True)
    assert (report.ok, study["b"] in report.removed) == (True, True)
    assert set(report.removed) <= JOBS_FROM_B
    make_study()
    Path("results/tiny/b/provenance.json").unlink()
    Path(study["b"]).write_bytes(half)
    os.utime(study["b"], (0, 0))  # older than what was made from it: not left by a job
    assert check().problems == [(study["b"], "no provenance lists it, although results were made from it")]


def test_half_a_study_is_neither_damaged_nor_unfinished_work(study):
    for path in JOBS_FROM_B:
        Path(path).unlink()
    report = check()
    assert (report.ok, report.jobs, report.problems, report.unfinished) == (True, 3, [], [])
    assert report.text().endswith("Nothing is damaged.")


def swap(one, other):
    Path(one).rename("aside")
    Path(other).rename(one)
    Path("aside").rename(other)


def make_pairs():
    """Baselines of three tasks, and transfers between them, as the study lays them out; paths of their results."""
    paths = {}
    for number, task in enumerate(["anger", "joy", "calm"]):
        names = {"task": task, "data": "full", "seed": "1"}
        paths[task] = make(f"results/tiny/baseline/full/seed=1/{task}", number, wildcards=names)
    for source, target in [("anger", "joy"), ("joy", "anger"), ("calm", "joy")]:
        names = {"source": source, "target": target, "data": "full", "seed": "1"}
        folder = f"results/tiny/transfer/full/seed=1/{source}--{target}"
        paths[source, target] = make(folder, 9, paths[source], wildcards=names)
    return paths


# What is swapped, and what was made from it.
FOLDERS = {
    "two tasks": ("baseline", "anger", "baseline", "joy", ["anger--joy", "joy--anger"]),
    "source and target": ("transfer", "anger--joy", "transfer", "joy--anger", []),
    "a task and a pair": ("baseline", "calm", "transfer", "calm--joy", ["calm--joy"]),
}


@pytest.mark.parametrize("folders", FOLDERS)
def test_folders_in_each_others_place_are_found_and_removed(study, folders):
    paths = make_pairs()
    *places, made_from = FOLDERS[folders]
    one, other = (f"results/tiny/{stage}/full/seed=1/{name}" for stage, name in (places[:2], places[2:]))
    swap(one, other)
    report = check()
    assert {path for path, _ in report.problems} == {f"{one}/provenance.json", f"{other}/provenance.json"}
    for path, reason in report.problems:
        assert f"this is the record of {other if path.startswith(one) else one} (make " in reason
    check(repair=True)
    gone = {one, other} | {f"results/tiny/transfer/full/seed=1/{pair}" for pair in made_from}
    assert {str(Path(path).parent) for path in paths.values() if not Path(path).exists()} == gone
    assert check().ok
    make_pairs()
    make_study()
    assert (check().ok, check().jobs) == (True, 12)


def test_a_copied_folder_is_found(study):
    make_pairs()
    copies = {
        "results/tiny/baseline/full/seed=1/anger": "results/tiny/baseline/full/seed=2/anger",
        "results/tiny/tables": "results/tiny/partial/tables",
    }
    for source, copy in copies.items():
        shutil.copytree(source, copy)
    found = {path for path, _ in check().problems}
    expected = {f"{copies['results/tiny/baseline/full/seed=1/anger']}/provenance.json"}
    assert found == expected | {f"results/tiny/partial/tables/{name}.provenance.json" for name in "ce"}


def write_closing_words():
    plan = {"study": "tiny", "results": "results/tiny", "logs": "logs/tiny", "started": time.time(), "done": True}
    Path("plan.json").write_text(json.dumps(plan))
    assert run_summary.main(["plan.json"]) == 0


@pytest.mark.parametrize("name", ["summary.json", "provenance.csv"])
@pytest.mark.parametrize("of", ["", ".sha256"])
@pytest.mark.parametrize("damage", ["a flipped bit", "a truncated file", "emptied"])
def test_damage_to_the_closing_words_is_found_and_removed(study, name, of, damage):
    write_closing_words()
    assert (check().problems, check().unchecked) == ([], [])
    path = Path(f"results/tiny/{name}{of}")
    (DAMAGE | {"emptied": lambda path: Path(path).write_bytes(b"")})[damage](path)
    (found,) = check().problems
    assert found == (f"results/tiny/{name}", f"it is not what its run wrote, by its digest in {name}.sha256")
    report = check(repair=True)
    assert {f"results/tiny/{name}", f"results/tiny/{name}.sha256"} <= set(report.removed)
    assert Path(study["c"]).exists()
    make_study()
    assert check().ok


def test_closing_words_that_are_gone_or_have_no_digest(study):
    write_closing_words()
    Path("results/tiny/provenance.csv").unlink()
    assert check().problems == [("results/tiny/provenance.csv", "it is missing")]
    write_closing_words()
    Path("results/tiny/summary.json.sha256").unlink()  # as of an earlier version, or of a writer that was killed
    report = check()
    assert (report.ok, report.unchecked) == (True, ["results/tiny/summary.json"])
    assert "Not checked" in report.text()


def test_the_digest_is_what_the_tool_of_the_system_checks(study):
    write_closing_words()
    for name in ("summary.json", "provenance.csv"):
        command = ["sha256sum", "--check", "--strict", f"{name}.sha256"]
        done = subprocess.run(command, cwd="results/tiny", capture_output=True, text=True, check=True)
        assert done.stdout == f"{name}: OK\n"


def test_no_damage_to_any_file_of_a_finished_study_is_missed(study):
    """Bits flipped, ends cut off, files emptied, all over a study with a run, its scores and the closing words."""
    run = TransferRun("none", "anger", "full", 1)
    answers = {"label": ["a", "b"], "prediction": ["a", "a"], "p_a": [0.75, 0.5], "p_b": [0.25, 0.5]}
    table = pandas.DataFrame({"id": ["1", "2"]} | answers)
    record = finish_run(run, table, kind="classification", metric="f1_macro", constant_answer="a")
    score_runs([record])
    write_closing_words()
    benchmark = load_benchmark("damage")
    damages = benchmark.draw(Path("results/tiny").resolve(), 200, seed=17)
    files = {path for path in Path("results/tiny").resolve().rglob("*") if path.is_file() and path.stat().st_size}
    assert {damage.path for damage in damages} == files
    assert {damage.kind for damage in damages} == set(benchmark.KINDS)
    assert benchmark.missed(Path("results/tiny").resolve(), damages) == []


def test_the_benchmark_of_damage_can_fail(study, tmp_path):
    """A file that verify leaves alone is missed."""
    Path("results/tiny/notes.txt").write_text("mine")
    benchmark = load_benchmark("damage")
    damages = [
        benchmark.Damage(tmp_path / "results/tiny" / name, "flipped", 3) for name in ("notes.txt", "a/result.json")
    ]
    assert [damage.path.name for damage in benchmark.missed(tmp_path / "results/tiny", damages)] == ["notes.txt"]
    assert Path("results/tiny/notes.txt").read_text() == "mine"


def test_damage_that_nothing_was_made_from_still_removes_complete(study):
    lonely = make("results/tiny/lonely", 7)
    flip(lonely)
    check(repair=True)
    assert not Path("results/tiny/COMPLETE.json").exists()
    assert Path(study["c"]).exists()


def test_complete_without_provenance_is_not_trusted(study):
    Path("results/tiny/COMPLETE.provenance.json").unlink()
    assert check().problems == [("results/tiny/COMPLETE.json", "no provenance lists it")]


@pytest.mark.parametrize("target", ["nowhere", "d/result.json"])
@pytest.mark.parametrize("complete", [True, False])
def test_a_link_without_provenance_in_the_place_of_a_used_file_is_damage(study, target, complete):
    """However new it is, and wherever it leads: no job makes a link."""
    if not complete:
        take_completion_away()
    for path in Path("results/tiny/b").iterdir():
        path.unlink()
    Path(study["b"]).symlink_to(Path("results/tiny", target).absolute())
    assert study["b"] in dict(check().problems)
    assert check(repair=True).ok
    assert not Path(study["b"]).is_symlink()
    assert Path(study["d"]).exists()


def test_a_folder_in_the_place_of_a_used_file_is_told_and_kept(study):
    for path in Path("results/tiny/b").iterdir():
        path.unlink()
    Path(study["b"]).mkdir()
    assert dict(check().problems) == {study["b"]: "it is missing, although results were made from it"}
    report = check(repair=True)
    assert [path for path, _ in report.kept] == [study["b"]]
    assert not report.ok


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


@as_root
def test_whoever_may_read_a_study_may_check_it(monkeypatch):
    with folder_for_all() as folder:
        monkeypatch.chdir(folder)
        make_study()
        assert as_other_user(lambda: [check().problems, check().running]) == [[], []]
        with output_lock("results/tiny/d/provenance.json"):
            (running,) = as_other_user(lambda: check().running)
        assert running.endswith("results/tiny/d")
        monkeypatch.chdir("/")


def test_other_versions_are_reported_but_no_damage(study, monkeypatch):
    now = verify.package_versions()
    monkeypatch.setattr(verify, "package_versions", lambda: now | {"numpy": "99.0"})
    report = check()
    assert report.ok
    assert report.drift == [("numpy", now["numpy"], "99.0", 6)]
    assert "99.0" in report.text()
