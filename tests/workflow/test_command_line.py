"""What a wrong command line, Ctrl-C and a folder with a space in its name come to: plain words, never a traceback."""

import ast
import os
import re
import shlex
import signal
import site
import subprocess
import sys
import time
import venv
from types import SimpleNamespace

import pytest
from snakemake.exceptions import WorkflowError

from snakemake_logger_plugin_empathy.configfiles import config_fault
from study_copy import PYTHONPATH, ROOT, StudyCopy

DEMO = ("--configfile", "config/demo.yaml")
WRONG_TARGETS = {
    "transfr": "(did you mean 'transfer'?). Targets: all, baseline, claims,",
    "results/demo/analysis/scors.csv": "(did you mean 'results/demo/analysis/scores.csv'?)",
}
RIGHT_TARGETS = ["leakage", "results/demo/raw/truth.json", "./results/demo/data/letters_hope/train.parquet"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo study, of which nothing is made."""
    return StudyCopy.of_repository(tmp_path_factory.mktemp("demo") / "study")


@pytest.fixture(scope="module")
def runs(demo):
    """Dry runs by what they are asked for."""
    asked = {target: [target, *DEMO] for target in WRONG_TARGETS} | {"right": [*RIGHT_TARGETS, *DEMO]}
    asked |= {"no file": ["--configfile", "config/dmo.yaml"], "target behind": [*DEMO, "transfer"]}
    return {name: demo.dry_run(*arguments) for name, arguments in asked.items()}


@pytest.mark.parametrize("target", WRONG_TARGETS)
def test_a_target_that_does_not_exist_is_named_with_the_nearest_one(target, runs):
    assert runs[target].status != 0
    assert f"There is no target '{target}'" in runs[target].text
    assert WRONG_TARGETS[target] in runs[target].text
    assert runs[target].jobs == ()


def test_targets_that_exist_are_planned(runs):
    assert runs["right"].status == 0, runs["right"].text
    assert {"generate_demo", "prepare_task", "report_leakage"} <= set(runs["right"].rules)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no file", "There is no config file config/dmo.yaml. Did you mean config/demo.yaml?"),
        ("target behind", "There is no config file transfer. --configfile takes all names after it"),
    ],
)
def test_a_config_file_that_does_not_exist_is_named_without_a_traceback(name, words, runs):
    assert runs[name].status != 0
    assert words in runs[name].text
    assert "Traceback" not in runs[name].text


def test_what_is_wrong_with_a_config_file(tmp_path):
    good = tmp_path / "good.yaml"
    good.write_text("study: mine\n")
    (tmp_path / "latin.yaml").write_bytes("title: Trauergr\u00fc\u00dfe\n".encode("latin-1"))

    def fault(*names):
        return config_fault(["-n", "--configfile", *(str(tmp_path / name) for name in names), "--cores", "1"])

    assert config_fault(["-n", "data"]) is None
    assert fault("good.yaml") is None
    assert fault("good.yaml", "goood.yaml") == f"There is no config file {tmp_path}/goood.yaml. Did you mean {good}?"
    assert fault("other.yaml") == f"There is no config file {tmp_path}/other.yaml. Known: good.yaml, latin.yaml."
    assert fault("good.yaml", "latin.yaml") == (
        f"The config file {tmp_path}/latin.yaml is not UTF-8 (byte 15). Save it as UTF-8."
    )
    assert fault("") == f"The config file {tmp_path} can't be read: Is a directory."


def plain_functions():
    """The functions of settings.smk, which is plain Python."""
    path = ROOT / "workflow/rules/plan/settings.smk"
    names = {"workflow": SimpleNamespace(basedir=str(ROOT), configfiles=[]), "config": {}}
    exec(compile(ast.parse(path.read_text(encoding="utf-8")), path.name, "exec"), names)
    return SimpleNamespace(**names)


@pytest.mark.parametrize("name", ["My Studies", "it's", "a;b", "$HOME", "(new)", "a&b", "plain"])
def test_the_program_of_jobs_means_itself_in_a_shell(name, tmp_path, monkeypatch):
    find = plain_functions().program_for_shells
    program = tmp_path / name / ".venv/bin/python"
    program.parent.mkdir(parents=True)
    program.symlink_to(sys.executable)
    # In the environment's own folder, and in one below it that has the character in its path as well.
    for folder in (program.parents[2], program.parents[2] / "work"):
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        chosen = find(str(program))
        assert shlex.quote(chosen) == chosen
        assert os.path.samefile(chosen, program)
    if name != "plain":
        monkeypatch.chdir(tmp_path)
        with pytest.raises(WorkflowError, match=r"can't start jobs with .*Make the environment in the folder"):
            find(str(program))


def test_jobs_run_in_an_environment_below_a_folder_with_a_space(demo, tmp_path):
    study = demo.clone(tmp_path / "My Studies")
    folder = study.folder / ".venv"
    venv.create(folder, symlinks=True)
    (packages,) = (folder / "lib").glob("*/site-packages")
    (packages / "tests.pth").write_text("\n".join(site.getsitepackages()))
    run = study.run("results/demo/raw/demo_notes.json", *DEMO, "--cores", "1", python=str(folder / "bin/python"))
    assert run.status == 0, run.text
    assert [job.rule for job in run.jobs] == ["generate_demo", "check_raw"]


ASLEEP = "open('asleep', 'w').close(); __import__('time').sleep(60)"
SCRIPT = "workflow/scripts/data/generate_demo.py"
TRUTH = "results/demo/raw/truth.json"


def asleep_while_planning(study):
    study.change("Snakefile", lambda text: f"{text}\n{ASLEEP}\n")


def asleep_in_a_job(study):
    study.change(SCRIPT, lambda text: text.replace("as job:\n", f"as job:\n        {ASLEEP}\n"))


def asleep_in_a_fork(study):
    """As trainings do: the job waits for a fork of the warm process, which does the work."""
    asleep_in_a_job(study)
    study.change(SCRIPT, lambda text: text.replace('"__main__":\n', '"__main__":\n    continue_warm()\n'))
    study.change(SCRIPT, lambda text: f"from empathy_transfer.frame.warm_start import continue_warm\n{text}")


def interrupted(study, change):
    """Status and words of a run that gets Ctrl-C, which a terminal sends to all its processes, when it is asleep."""
    change(study)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EMPATHY_")}
    run = subprocess.Popen(
        [sys.executable, "-m", "snakemake", TRUTH, *DEMO, "--cores", "1"],
        cwd=study.folder,
        env=environment | {"PYTHONPATH": PYTHONPATH},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    while run.poll() is None and not (study.folder / "asleep").exists():
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGINT)
    text, _ = run.communicate(timeout=120)
    return run.returncode, text


@pytest.mark.parametrize("change", [asleep_while_planning, asleep_in_a_fork])
def test_after_ctrl_c_one_line_says_how_to_go_on(change, demo, tmp_path):
    study = demo.clone(tmp_path / "study")
    check_words(study, *interrupted(study, change))


def check_words(study, status, text):
    """Check that an interrupted run has made nothing, and says no more than that it was stopped and how to go on."""
    assert status != 0
    assert "Traceback" not in text
    assert "KeyboardInterrupt" not in text
    assert re.search(rf"Stopped on request.* To go on: .*snakemake {TRUTH} {' '.join(DEMO)} --cores 1\n", text), text
    assert not (study.folder / TRUTH).exists()


def test_a_run_goes_on_after_ctrl_c(demo, tmp_path):
    study = demo.clone(tmp_path / "study")
    check_words(study, *interrupted(study, asleep_in_a_job))
    study.change(SCRIPT, lambda text: text.replace(f"        {ASLEEP}\n", ""))
    run = study.run(TRUTH, *DEMO, "--cores", "1")
    assert run.status == 0, run.text
    assert (study.folder / TRUTH).is_file()
