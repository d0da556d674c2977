"""The warm process: a job in it is as a job in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPTS = str(Path(__file__).parents[2] / "workflow" / "scripts")
JOB = """
import sys
sys.path.insert(0, {scripts!r})
from empathy_transfer.frame.warm_start import continue_warm
continue_warm()
import os, time
{body}
"""


def start_server():
    """Start a server; its process and address."""
    server = [sys.executable, "-m", "empathy_transfer.frame.warm_start"]
    path = os.environ | {"PYTHONPATH": SCRIPTS}
    process = subprocess.Popen(server, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=path)
    return process, process.stdout.readline().strip()


@pytest.fixture(scope="module")
def warm():
    """A running server: its process and address."""
    process, address = start_server()
    yield process, address
    process.stdin.close()
    process.wait(timeout=600)


def start(folder, body, address, **environment):
    """Start a job as Snakemake does: a script file run by Python."""
    script = folder / "job.py"
    script.write_text(JOB.format(scripts=SCRIPTS, body=body))
    environment = os.environ | {"EMPATHY_WARM_START": address} | environment
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, script], cwd=folder, env=environment, **pipes)


def test_job_runs_in_a_fork_with_its_own_folder_environment_and_streams(tmp_path, warm):
    body = "print(os.getppid(), os.getcwd(), os.environ['COLOUR'], *(name in sys.modules for name in ('torch', 'x')))"
    job = start(tmp_path, body, warm[1], COLOUR="green")
    out, error = job.communicate(timeout=600)
    assert out.split() == [str(warm[0].pid), str(tmp_path.resolve()), "green", "True", "False"]
    assert (job.returncode, error) == (0, "")


def test_torch_starts_no_thread_before_the_fork(tmp_path, warm):
    """A fork keeps one thread only, so none may run in the server."""
    start(tmp_path, "pass", warm[1]).wait(timeout=600)
    assert len(list(Path(f"/proc/{warm[0].pid}/task").iterdir())) == 1


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("sys.exit(3)", 3, ""),
        ("sys.exit('no such task')", 1, "no such task"),
        ("raise ValueError('bad row')", 1, "ValueError: bad row"),
        ("os.kill(os.getpid(), 9)", 137, ""),
    ],
)
def test_exit_status_and_message_are_those_of_the_job(tmp_path, warm, body, status, error):
    job = start(tmp_path, body, warm[1])
    assert error in job.communicate(timeout=600)[1]
    assert job.returncode == status


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGKILL])
def test_job_dies_with_the_process_that_asked(tmp_path, warm, kind):
    job = start(tmp_path, "open('pid', 'w').write(f'{os.getpid()} ')\ntime.sleep(600)", warm[1])
    _wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().endswith(" "))
    job.send_signal(kind)
    job.wait(timeout=600)
    _wait_for(lambda: not Path(f"/proc/{int((tmp_path / 'pid').read_text())}").exists())


def test_job_goes_on_by_itself_where_nobody_answers(tmp_path):
    job = start(tmp_path, "print('torch' in sys.modules)", str(tmp_path / "nobody"))
    assert job.communicate(timeout=600)[0].split() == ["False"]


def test_job_of_another_library_is_declined_and_goes_on_by_itself(tmp_path, warm):
    copy = tmp_path / "scripts" / "empathy_transfer"
    (copy / "frame").mkdir(parents=True)
    for name in ("__init__.py", "frame/__init__.py", "frame/warm_start.py"):
        (copy / name).write_text(Path(SCRIPTS, "empathy_transfer", name).read_text())
    script = tmp_path / "job.py"
    script.write_text(JOB.format(scripts=str(copy.parent), body="print('torch' in sys.modules)"))
    environment = os.environ | {"EMPATHY_WARM_START": warm[1]}
    out = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, timeout=600).stdout
    assert out.split() == ["False"]


def test_server_ends_with_the_run_and_its_last_job(tmp_path):
    process, address = start_server()
    job = start(tmp_path, "open('begun', 'w').close()\ntime.sleep(1)\nprint('done')", address)
    _wait_for(lambda: (tmp_path / "begun").exists())
    process.stdin.close()
    assert job.communicate(timeout=600)[0] == "done\n"
    assert process.wait(timeout=600) == 0
    assert not Path(address).parent.exists()


def _wait_for(condition, seconds=600):
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
