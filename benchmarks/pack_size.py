"""CPU time of a short pair by the number of pairs that one process trains.

    make demo && python benchmarks/pack_size.py [--sizes 1 4 16]

Packs of pairs of one target of the demo are trained, each in a process of its own that imports what it needs, as on a
cluster; then one pair is taken from its pack by another process. Sources repeat where the demo has too few. Snakemake's
own time comes on top, for each process as `pair_job.py` measures it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pair_job import ROOT, STUDY, TARGET, copy_study

from empathy_transfer.frame.packs import OUTPUTS

WORKER = """
import json, sys, types
sys.path.insert(0, "workflow/scripts")
request = json.loads(sys.argv[1])
from empathy_transfer.frame.packs import Entries, train_pack, unpack
for name in ("wildcards", "input", "output", "params"):
    request[name] = Entries(request[name])
snakemake = types.SimpleNamespace(**request, threads=1, scriptdir="workflow/scripts/train")
if snakemake.rule == "train_pack":
    from empathy_transfer.frame.job import open_job
    with open_job(snakemake) as job:
        train_pack(job, snakemake.scriptdir)
else:
    assert unpack(snakemake)
"""
SHARED = {"tokens": f"{STUDY}/tokens/{TARGET}/tokens.safetensors", "task_json": f"{STUDY}/data/{TARGET}/task.json"}
NAMES = {"data": "full", "seed": "1"}


def cpu_seconds(folder, request):
    """Run a job in a process of its own and return the CPU time that it took."""
    request |= {"log": [f"logs/{request['rule']}.log"]}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EMPATHY_")}
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, json.dumps(request)], cwd=folder, env=environment | {"OMP_NUM_THREADS": "1"}
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"A job failed: {(folder / request['log'][0]).read_text(encoding='utf-8')[-2000:]}")
    return used.ru_utime + used.ru_stime


def measure(folder, size, adapters, params):
    """Return the CPU seconds of a pack of this size, and of taking one of its pairs."""
    chosen = {f"source{number}": adapters[number % len(adapters)] for number in range(size)}
    wanted = [[source, TARGET, *NAMES.values()] for source in chosen]
    (folder / "wanted.json").write_text(json.dumps(wanted), encoding="utf-8")
    pack = f"{STUDY}/packs/{size}"
    own = {"sources": list(chosen), "wanted": "wanted.json", "pair_code": f"pack of {size}", "code": "pack"}
    trained = cpu_seconds(folder, {
        "rule": "train_pack",
        "wildcards": NAMES | {"target": TARGET, "part": "0"},
        "input": SHARED | {"adapters": list(chosen.values())},
        "output": {"report": f"{pack}/pack.json", "provenance": f"{pack}/provenance.json"},
        "params": params | own,
    })  # fmt: skip
    report = json.loads((folder / pack / "pack.json").read_text(encoding="utf-8"))["pairs"]
    if set(report.values()) != {"trained"}:
        raise SystemExit(f"Not all pairs were trained: {report}")
    pair = f"{STUDY}/transfer/full/seed=1/source0--{TARGET}"
    taken = cpu_seconds(folder, {
        "rule": "unpack_transfer",
        "wildcards": NAMES | {"source": "source0", "target": TARGET},
        "input": {"adapter": chosen["source0"]} | SHARED,
        "output": {name: f"{pair}/{file}" for name, file in OUTPUTS.items()},
        "params": params | {"code": f"pack of {size}"},
    })  # fmt: skip
    return trained, taken


def main():
    """Measure and print one line per size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 4, 16], help="pairs of a process (%(default)s)")
    choice = parser.parse_args()
    folders = sorted((ROOT / STUDY / "baseline/full/seed=1").glob("*"))
    adapters = [str((path / "adapter.safetensors").relative_to(ROOT)) for path in folders if path.name != TARGET]
    records = list((ROOT / STUDY / "transfer/full/seed=1").glob(f"*--{TARGET}/provenance.json"))
    if not adapters or not records:
        raise SystemExit(f"{STUDY} is not there or not complete: run `make demo` first")
    params = json.loads(records[0].read_text(encoding="utf-8"))["settings"]
    print(f"{'pairs':>6}{'pack, s':>10}{'a pair of it, s':>18}{'taking it, s':>15}{'together, s':>14}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        copy_study(Path(name))
        measure(Path(name), 2, adapters, params)  # computes the first layer, which all later ones share
        for size in choice.sizes:
            trained, taken = measure(Path(name), size, adapters, params)
            row = f"{size:>6}{trained:>10.2f}{trained / size:>18.2f}{taken:>15.2f}{trained / size + taken:>14.2f}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
