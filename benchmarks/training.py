"""Speed of training on a frozen stack: our engines against the library's trainer, in one run.

    make bench                          all of it: about 20 minutes on two cores and 24 GB
    make bench BENCH=--quick            MiniLM without dropout, one round: at most 90 seconds on two cores
    python benchmarks/training.py [--quick] [--rounds 3] [--threads 1] [--json FILE]

Engines, each in its own process, take turns round by round. In the first two each takes its memory and prepares
products of new shapes, which a training does once; medians over the rounds after them are reported, with their range:

- `default`: `adapters.AdapterTrainer` with its defaults, every text padded to the maximum
- `best`: `AdapterTrainer` at its best: padded per batch, grouped by length, bf16
- `reference`: our loop over the `adapters` model
- `fast`: our fast engine

A transfer is trained: frozen encoder, frozen source adapter, new target adapter and head, batches of 32. Texts are
random tokens with the lengths of two datasets. Useful work is the same for all engines: forward, gradients of
activations above the first target adapter, gradients of adapter and head; executed work is what an engine computes.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil
import workloads

COLUMNS = (
    "encoder", "lengths", "dropout", "engine", "precision", "samples_per_second", "ratio_to_default", "ratio_to_best",
    "gflops", "share_of_peak", "executed_gflops", "peak_memory_mb", "startup_s",
)  # fmt: skip
ENGINES = ("default", "best", "reference", "fast")
RATIOS = {"ratio_to_default": "default", "ratio_to_best": "best"}
WARM_UP = 2  # rounds
WORKER = Path(__file__).with_name("training_worker.py")


class WorkerDiedError(Exception):
    """A process of an engine ended early, most likely for want of memory."""


class Worker:
    """A process that trains with one engine when it is told to."""

    def __init__(self, case, engine, threads):
        """Start the process and wait until it has taken its first step; the time until then is `startup_s`."""
        self.engine, started = engine, time.perf_counter()
        arguments = [sys.executable, str(WORKER), json.dumps(case | {"engine": engine, "threads": threads})]
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.ready = self.answer()
        self.startup_s = time.perf_counter() - started
        self.rounds = []

    def start(self):
        """Let it train one round."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def answer(self):
        """Wait for its next line."""
        line = self.process.stdout.readline()
        if not line:
            raise WorkerDiedError(self.engine)
        return json.loads(line)

    def round(self):
        """Train one round and keep its speed."""
        self.start()
        self.rounds.append(self.answer())

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def measure(case, rounds, threads, peak):
    """Return a row per engine for one case: encoder, dropout and lengths.

    Where memory doesn't hold all engines at a time, each takes turns with the fast one alone: then ratios are told of
    engines that took turns with each other.
    """
    if psutil.virtual_memory().available >= case["memory_gb"] << 30:
        return take_turns(case, ENGINES, rounds, threads, peak)
    print(f"  all engines at a time take {case['memory_gb']} GB: each takes turns with fast alone", flush=True)
    rows = {}
    for engine in ENGINES[:-1]:
        for row in take_turns(case, (engine, "fast"), rounds, threads, peak):
            earlier = rows.get(row["engine"], {})
            rows[row["engine"]] = row | {name: earlier.get(name) for name in RATIOS if row[name] is None}
    return [rows[engine] for engine in ENGINES if engine in rows]


def take_turns(case, engines, rounds, threads, peak):
    """Return a row per engine that lived, with ratios among them."""
    workers = []
    for engine in engines:
        try:
            workers.append(Worker(case, engine, threads))
            print(f"  {engine}: first step after {workers[-1].startup_s:.1f} s", flush=True)
        except WorkerDiedError:
            print(f"  {engine}: died before its first step", flush=True)
    for number in range(1 - WARM_UP, rounds + 1):
        for worker in list(workers):
            try:
                worker.round()
            except WorkerDiedError:
                print(f"  {worker.engine}: died; is the memory full? Run {WORKER.name} by hand to see why", flush=True)
                workers.remove(worker)
        speeds = ", ".join(f"{worker.engine} {worker.rounds[-1]['samples_per_second']:.1f}" for worker in workers)
        print(f"  {f'round {number}/{rounds}' if number > 0 else 'warm-up'}: {speeds} samples/s", flush=True)
    rows = [row_of(worker, case, peak) for worker in workers]
    speed = {row["engine"]: row["samples_per_second"] for row in rows}
    for row in rows:
        for name, engine in RATIOS.items():
            row[name] = round(row["samples_per_second"] / speed[engine], 2) if engine in speed else None
    for worker in workers:
        worker.close()
    return rows


def row_of(worker, case, peak):
    """Return the medians of a worker's rounds after the warm-up, with their range."""
    speeds = [entry["samples_per_second"] for entry in worker.rounds[WARM_UP:]]
    speed = statistics.median(speeds)
    useful = workloads.useful_flops(case) * speed / 1e9
    executed = workloads.executed_flops(case, worker.engine) * speed / 1e9
    return {
        "encoder": case["encoder"], "lengths": case["lengths"], "dropout": case["dropout"], "engine": worker.engine,
        "samples_per_second": round(speed, 2), "lowest": round(min(speeds), 2), "highest": round(max(speeds), 2),
        "gflops": round(useful, 1), "share_of_peak": round(useful / peak["bf16"], 3),
        "executed_gflops": round(executed, 1), "peak_memory_mb": worker.rounds[-1]["peak_memory_mb"],
        "startup_s": round(worker.startup_s, 2), "precision": worker.ready["precision"],
    }  # fmt: skip


def compare_processes(case, rounds):
    """Compare two processes of one thread with one process of two threads, in turns; returns samples/s of both."""
    pair, single = [Worker(case, "fast", 1) for _ in range(2)], Worker(case, "fast", 2)
    together, alone = [], []
    for _ in range(WARM_UP + rounds):
        for worker in pair:
            worker.start()
        together.append(sum(worker.answer()["samples_per_second"] for worker in pair))
        single.round()
        alone.append(single.rounds[-1]["samples_per_second"])
    for worker in (*pair, single):
        worker.close()
    return statistics.median(together[WARM_UP:]), statistics.median(alone[WARM_UP:])


def main():
    """Run the cases and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="MiniLM without dropout, one round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds per case (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="threads of each engine (%(default)s)")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    arguments = parser.parse_args()
    rounds = 1 if arguments.quick else arguments.rounds
    peak = workloads.gemm_peak(arguments.threads)
    print(f"matrix products on {arguments.threads} thread(s): bf16 {peak['bf16']:.0f}, fp32 {peak['fp32']:.0f} GFLOP/s")
    rows = []
    for case in workloads.cases(arguments.quick):
        print(f"{case['encoder']}, lengths of {case['lengths']}, dropout {case['dropout']}", flush=True)
        rows += measure(case, rounds, arguments.threads, peak)
        if arguments.json:  # after each case, so that an end before the last one loses nothing
            arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    print(workloads.table(rows, COLUMNS))
    if not arguments.quick:
        together, alone = compare_processes(workloads.cases(True)[0], rounds)
        print(f"two processes of one thread {together:.1f}, one process of two threads {alone:.1f} samples/s, "
              f"ratio {together / alone:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
