"""A real Slurm on one machine: two nodes with two fake GPUs each, on the loopback, without systemd or a database.

Everything that it writes lies in one folder, and it runs as the user who starts it. The nodes offer more processors and
memory than the machine has: nothing is enforced without control groups, so requests are only counted.
"""

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo", "setpriv")
INSTALL = "apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge"
NODES = ("n1", "n2")
GPUS_PER_NODE = 2
# Daemons lie where users have no path to.
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])

SLURM_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/history.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=500
SlurmdParameters=config_overrides
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
GresTypes=gpu
MinJobAge=3600
SlurmdTimeout=20
ReturnToService=2
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=0
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=16 RealMemory=64000 Gres=gpu:{gpus}
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=16 RealMemory=64000 Gres=gpu:{gpus}
PartitionName=all Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP
"""
GRES_CONF = """\
AutoDetect=off
NodeName=n[1-2] Name=gpu File={folder}/fakegpu[0-1]
"""
# The executor's job step drops all SLURM_* variables, so that its `srun` would not find the configuration.
SRUN = """\
#!/bin/sh
export SLURM_CONF={folder}/slurm.conf
env | grep -E '^(EMPATHY_|CUDA_VISIBLE_DEVICES|SLURM_JOB_ID)' > {folder}/environment/$SLURM_JOB_ID
exec {srun} "$@"
"""


class SlurmJob(NamedTuple):
    """A job as Slurm knows it."""

    number: int
    comment: str  # the rule and the wildcards, as the executor writes them
    folder: str  # where it was submitted
    state: str
    node: str
    gpus: int
    start: float  # seconds since the epoch, whole ones; 0 before it ran
    end: float


class SlurmCluster:
    """The cluster; use it as a context manager."""

    def __init__(self):
        # Not pytest's folder, whose name may be too long for a socket.
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.environment = {
            "SLURM_CONF": f"{self.folder}/slurm.conf",
            "PATH": f"{self.folder}/bin{os.pathsep}{PATH}",
        }
        self.munged = self.slurmctld = None
        self.slurmd = {}

    def __enter__(self):
        """Write the configuration, start the daemons and wait until both nodes work."""
        self._configure()
        try:
            self._start_munge()
            self.slurmctld = self._start("slurmctld", "-D", "-c")
            for node in NODES:
                self.start_node(node)
            self.wait_until_healthy()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        """End all jobs and daemons, and remove the folder."""
        with contextlib.suppress(subprocess.SubprocessError):
            self.command("scancel", "--me", check=False)
            self.wait(lambda: not self.command("squeue", "-h", "-o", "%A", check=False).strip(), 30)
        for node in list(self.slurmd):
            self.kill_node(node)
        for daemon in (self.slurmctld, self.munged):
            if daemon:
                daemon.terminate()
                daemon.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _configure(self):
        for name in ("state", "bin", "environment"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))
        for number in range(GPUS_PER_NODE):
            (self.folder / f"fakegpu{number}").symlink_to("/dev/null")
        values = {
            "host": socket.gethostname().split(".")[0],
            "user": os.environ.get("USER") or subprocess.check_output(["id", "-un"], text=True).strip(),
            "ports": free_ports(3),
            "folder": self.folder,
            "gpus": GPUS_PER_NODE,
            "srun": shutil.which("srun", path=PATH),
        }
        (self.folder / "slurm.conf").write_text(SLURM_CONF.format(**values))
        (self.folder / "gres.conf").write_text(GRES_CONF.format(**values))
        wrapper = self.folder / "bin/srun"
        wrapper.write_text(SRUN.format(**values))
        wrapper.chmod(0o755)

    def _start_munge(self):
        options = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        files = [f"--{option}={self.folder}/munge.{ending}" for option, ending in options.items()]
        self.munged = self._start("munged", "--foreground", "--force", *files)
        self.wait((self.folder / "munge.socket").exists, 20, "munged made no socket")

    def _start(self, program, *arguments):
        """Start a daemon that ctrl-C does not reach, but that ends with this process, however that ends."""
        with open(self.folder / f"{program}.out", "a") as out:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", shutil.which(program, path=PATH), *arguments],
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def start_node(self, node):
        """Start a node, perhaps once more after it was killed."""
        self.slurmd[node] = self._start("slurmd", "-D", "-N", node)

    def kill_node(self, node):
        """Kill a node at once, with all that runs on it, as if its power had failed."""
        daemon = self.slurmd.pop(node)
        daemon.kill()
        daemon.wait(timeout=10)
        for pid in self._processes_on(node):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _processes_on(self, node):
        """The processes of this cluster's jobs on a node, and the daemons that watch over them."""
        own, parents = set(), {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, ValueError, IndexError):
                environment = (folder / "environ").read_bytes().split(b"\0")
                parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if f"SLURMD_NODENAME={node}".encode() in environment and os.fsencode(self.folder) in b"".join(
                    environment
                ):
                    own.add(int(folder.name))
        watching = set()
        for pid in own:
            with contextlib.suppress(OSError, KeyError):
                if (Path("/proc") / str(parents[pid]) / "comm").read_text().startswith("slurmstepd"):
                    watching.add(parents[pid])
        return [*watching, *own]

    def wait_until_healthy(self):
        """Wait until both nodes are idle and can run a step on a GPU."""

        def idle():
            lines = self.command("sinfo", "-h", "-N", "-o", "%N %T %G", check=False).splitlines()
            return sorted(line.split("(")[0].strip() for line in lines) == [f"{node} idle gpu:2" for node in NODES]

        self.wait(idle, 60, "the nodes are not idle")
        self.command("srun", "-N2", "-n2", "--gpus-per-node=1", "true")

    def wait(self, condition, seconds, message=None):
        """Wait until a condition holds; an error with this message and the daemons' last words if it does not."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                if message is None:
                    return
                raise TimeoutError(f"{message} within {seconds} s\n{self.last_words()}")
            time.sleep(0.3)

    def last_words(self):
        """The ends of all logs of the daemons."""
        paths = [*self.folder.glob("*.log"), *self.folder.glob("*.out")]
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}" for path in sorted(paths))

    def command(self, *arguments, check=True):
        """Run a command of Slurm; what it said on its standard output."""
        done = subprocess.run(
            arguments, env=os.environ | self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stderr}\n{self.last_words()}")
        return done.stdout

    def jobs(self):
        """All jobs since the start of the cluster, in their order; steps by hand are left out."""
        found = []
        for line in self.command("scontrol", "show", "jobs", "-o").splitlines():
            fields = dict(part.split("=", 1) for part in line.split() if "=" in part)
            if not fields.get("Comment"):
                continue
            gpus = re.search(r"gres:gpu:(\d+)", fields.get("TresPerJob", ""))
            found.append(
                SlurmJob(
                    number=int(fields["JobId"]),
                    comment=fields["Comment"],
                    folder=fields["WorkDir"],
                    state=fields["JobState"],
                    node=fields.get("NodeList", ""),
                    gpus=int(gpus.group(1)) if gpus else 0,
                    start=_seconds(fields["StartTime"]),
                    end=_seconds(fields["EndTime"]),
                )
            )
        return sorted(found)

    def ended(self):
        """Numbers of the jobs that have ended, by the history that Slurm writes."""
        history = self.folder / "history.txt"
        lines = history.read_text().splitlines() if history.exists() else []
        return {int(line.split()[0].removeprefix("JobId=")) for line in lines}


def most_gpus_at_once(jobs):
    """The most GPUs that jobs held at one time. Times are whole seconds, and an end comes before a start."""
    events = [event for job in jobs if job.start for event in ((job.start, job.gpus), (job.end, -job.gpus))]
    held = most = 0
    for _, change in sorted(events, key=lambda event: (event[0], event[1])):
        held += change
        most = max(most, held)
    return most


def free_ports(number):
    """Ports of the loopback that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _seconds(text):
    """A time of Slurm as seconds since the epoch; 0 if there is none."""
    return 0.0 if text in ("Unknown", "None") else time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
