"""Gather the scores of all runs and compare each transfer with its baseline.

Section 5 of the study: percent improvement of each transfer over its target's baseline; transfers on half of the data
are compared with the full-data baseline.
"""

from pathlib import Path

import pandas as pd

from empathy_transfer.leakage.report import read_leaked
from empathy_transfer.records.artefacts import read_csv, read_json, write_csv, write_json
from empathy_transfer.records.runs import BASELINE, CONTROLS
from empathy_transfer.records.score_tables import read_run_scores
from empathy_transfer.report.reasons import REASONS
from empathy_transfer.scores.points import percent_stands

SCORE_COLUMNS = "source target data seed metric main value n_test collapsed reason".split()
IMPROVEMENT_COLUMNS = """
    source target data metric seeds floor baseline baseline_standard_error transfer
    difference percent percent_vs_half_baseline scaled leaked reason
""".split()
# A run that gains less over the floor than this share of its target's median run has collapsed.
COLLAPSED_SHARE = 0.25


def write_scores(
    run_scores_paths,
    tasks,
    left_out,
    seeds,
    data,
    logs,
    scores_path,
    improvement_path,
    findings_path,
    leaked_pairs_path=None,
):
    """Write scores.csv, improvement.csv and findings.json from the tables of the runs' scores, see `run_scores`.

    ``tasks`` is {task: its title, kind, metric and theme} with the left-out tasks, in the order of the rows;
    ``left_out`` {task: why}; ``seeds`` and ``data`` list the planned runs; ``logs`` is the folder in which failed jobs
    left their records; ``leaked_pairs_path`` names the flags of the audit of leakage, if there has been one.
    """
    from empathy_transfer.scores.findings import findings  # scipy: not for those who only read improvements

    runs = read_run_scores(*run_scores_paths)
    scores = collect_scores(runs, tasks, left_out, seeds, data, failed_runs(logs))
    improvement = percent_improvement(scores, runs, read_leaked(leaked_pairs_path))
    write_csv(scores_path, scores)
    write_csv(improvement_path, improvement)
    write_json(findings_path, findings(improvement, scores, tasks))
    print(f"{len(runs)} of {len(planned_runs(tasks, seeds, data))} planned runs found")


def failed_runs(logs):
    """Keys (source, target, data, seed) of the training jobs that left a failure record below the folder ``logs``."""
    failed = set()
    for path in sorted(Path(logs).rglob("*.failure.json")):
        wildcards = read_json(path, verify=False)["wildcards"]
        if "seed" in wildcards and "data" in wildcards:
            target = wildcards.get("target", wildcards.get("task"))
            failed.add((wildcards.get("source", BASELINE), target, wildcards["data"], int(wildcards["seed"])))
    return failed


def planned_runs(tasks, seeds, data):
    """All keys (source, target, data, seed) of the study, left-out tasks included: baselines, then transfers."""
    sources = [BASELINE, *tasks]
    return [
        (source, target, condition, int(seed))
        for condition in data
        for source in sources
        for target in tasks
        if source != target
        for seed in seeds
    ]


def collect_scores(runs, tasks, left_out, seeds, data, failed=()):
    """One row for each planned run and metric of its target, in a frame with the columns ``SCORE_COLUMNS``.

    A target without any run has a row for its main metric alone. ``runs`` are as of ``read_run_scores``, ``failed`` the
    keys of ``failed_runs``. A run that does not exist has an empty value and a reason: ``no_data`` (or the reason code
    given in ``left_out``) when its source or target was left out, ``failed``, or else ``not_run``. A collapsed run
    keeps its value, with the reason ``collapsed``. Runs of the controls (``CONTROLS``) follow where there are any.
    Raises ValueError for a left-out task that is missing from ``tasks``, a run that is not planned, or two records of
    one run.
    """
    if unknown := [task for task in left_out if task not in tasks]:
        raise ValueError(f"left-out tasks must be listed among the tasks, too: {', '.join(unknown)}")
    found, metrics = {}, {task: [about["metric"]] for task, about in tasks.items()}
    for run in runs:
        metrics[run["target"]] = list(dict.fromkeys([*metrics.get(run["target"], ()), *run["values"]]))
        if found.setdefault(_key(run), run) is not run:
            raise ValueError(f"two records of one run: {_key(run)}")
    planned = planned_runs(tasks, seeds, data)
    extra = list(found.keys() - set(planned))
    if strangers := [key for key in extra if key[0] not in CONTROLS or key[1] not in tasks]:
        raise ValueError(f"records of runs that are not planned, such as {strangers[0]}")
    collapsed = collapsed_runs(runs)
    rows = []
    for key in planned + sorted(extra):
        source, target, *_ = key
        run = found.get(key)
        absent = next((task for task in (target, source) if task in left_out), None)
        if run is not None:
            reason = "collapsed" if key in collapsed else ""
        elif absent is not None:
            reason = left_out[absent] if left_out[absent] in REASONS else "no_data"
        else:
            reason = "failed" if key in failed else "not_run"
        for metric in metrics[target]:
            values = (run["values"][metric], run["n_test"], key in collapsed) if run else (None, None, None)
            rows.append((*key, metric, metric == tasks[target]["metric"], *values, reason))
    frame = pd.DataFrame(rows, columns=SCORE_COLUMNS)
    return frame.astype({"seed": "int64", "value": "float64", "n_test": "Int64", "collapsed": "boolean"})


def collapsed_runs(runs):
    """Keys of the collapsed runs.

    A run has collapsed when all its test predictions are equal or, of numbers, next to equal (`is_all_but_constant`),
    or when its validation score exceeds the floor by less than a quarter of what the median run of the same target and
    data condition does; baseline, transfers and seeds all count in that median, but no controls, so that a run is
    judged alike with and without them. Where the median run does not exceed the floor, a run below the floor has
    collapsed.
    """
    gains = {}
    for run in runs:
        if run["source"] not in CONTROLS:
            gains.setdefault((run["target"], run["data"]), []).append(run["validation"] - run["floor_validation"])
    medians = {group: float(pd.Series(values).median()) for group, values in gains.items()}
    collapsed = set()
    for run in runs:
        threshold = COLLAPSED_SHARE * max(medians.get((run["target"], run["data"]), 0.0), 0.0)
        if run["constant_prediction"] or run["validation"] - run["floor_validation"] < threshold:
            collapsed.add(_key(run))
    return collapsed


def percent_improvement(scores, runs, leaked=frozenset()):
    """Each transfer against its baseline on the target's main metric: a frame with ``IMPROVEMENT_COLUMNS``.

    ``baseline`` and ``transfer`` are unrounded means over the seeds (``seeds`` of them) that both have. Transfers on
    half the data are compared with the target's *full-data* baseline; ``percent_vs_half_baseline`` compares
    them with the half-data baseline, the control that tells "transfer makes up for data" from "half is enough".
    ``difference`` = transfer - baseline, ``percent`` = 100 difference / baseline, ``scaled`` = difference /
    (1 - floor), ``floor`` the score of constant answers on the test items. Percentages are undefined when the
    baseline is not well above the floor (``scores.points.percent_stands``, by item bootstrap, mean over seeds).

    ``leaked`` says whether the pair is among the flagged ones, ``leaked`` (source, target). ``reason`` says why
    ``percent`` is blank, or ``collapsed`` when one of the runs behind it, the baseline's included, collapsed.
    """
    floors, errors = _floors(runs), {_key(run): run["standard_error"] for run in runs if run["source"] == BASELINE}
    # Plain dicts: a frame per cell takes minutes for a hundred tasks.
    cells = {}
    for row in scores[scores["main"]].itertuples(index=False):
        cells.setdefault((row.source, row.target, row.data), {})[row.seed] = row
    rows = []
    for (source, target, data), transfers in cells.items():
        if source == BASELINE:
            continue
        full, half = (
            _compare(
                transfers,
                cells.get((BASELINE, target, condition), {}),
                floors.get((target, condition)),
                {seed: errors.get((BASELINE, target, condition, seed)) for seed in transfers},
            )
            for condition in ("full", "half")
        )
        row = {"source": source, "target": target, "data": data, "metric": next(iter(transfers.values())).metric}
        row |= {"leaked": (source, target) in leaked}
        rows.append(row | full | {"percent_vs_half_baseline": half.get("percent") if data == "half" else None})
    frame = pd.DataFrame(rows, columns=IMPROVEMENT_COLUMNS)
    others = ("source", "target", "data", "metric", "leaked", "reason")
    numbers = [name for name in IMPROVEMENT_COLUMNS if name not in others]
    return frame.astype(dict.fromkeys(numbers, "float64") | {"seeds": "int64", "leaked": "bool"})


def common_reason(reasons):
    """One reason code for a cell none of whose runs exists: ``failed`` if any failed, else the first."""
    reasons = list(reasons)
    return "failed" if "failed" in reasons else next(iter(reasons), "not_run")


def read_scores(path):
    """Read scores.csv with its types; blank reasons are empty strings."""
    frame = read_csv(path, dtype={"n_test": "Int64", "collapsed": "boolean", "reason": str, "value": float})
    return frame.fillna({"reason": ""})


def read_improvement(path):
    """Read improvement.csv with its types; blank reasons are empty strings."""
    return read_csv(path, dtype={"reason": str, "metric": str}).fillna({"reason": ""})


def _compare(transfers, baselines, floor, errors):
    """The comparison of one cell's transfers with baselines of one data condition, as columns of improvement.csv.

    Both are rows of scores.csv by seed; ``baselines`` is empty when that condition is not part of the study. ``floor``
    is the target's floor, ``errors`` {seed: standard error of that seed's baseline}.
    """
    row = {"seeds": 0, "floor": floor, "reason": "not_run"}
    values, references = (
        {seed: run for seed, run in runs.items() if run.value == run.value} for runs in (transfers, baselines)
    )
    for found, planned in ((values, transfers), (references, baselines)):
        if planned and not found:
            return row | {"reason": common_reason(run.reason for run in planned.values())}
    seeds = [seed for seed in values if seed in references]
    if not seeds:
        return row
    baseline = sum(references[seed].value for seed in seeds) / len(seeds)
    transfer = sum(values[seed].value for seed in seeds) / len(seeds)
    error = sum(errors[seed] for seed in seeds) / len(seeds)
    defined = percent_stands(baseline, floor, error)
    collapsed = any(runs[seed].reason == "collapsed" for runs in (values, references) for seed in seeds)
    return row | {
        "seeds": len(seeds),
        "baseline": baseline,
        "baseline_standard_error": error,
        "transfer": transfer,
        "difference": transfer - baseline,
        "percent": 100 * (transfer - baseline) / baseline if defined else None,
        "scaled": (transfer - baseline) / (1 - floor) if floor < 1 else None,
        "reason": ("collapsed" if collapsed else "") if defined else "undefined",
    }


def _floors(runs):
    """{(target, data): mean floor of the baselines, or of all runs where there is no baseline}."""
    groups = {}
    for run in runs:
        group = groups.setdefault((run["target"], run["data"]), {})
        group.setdefault(run["source"] == BASELINE, []).append(run["floor"])
    chosen = {key: group.get(True) or group[False] for key, group in groups.items()}
    return {key: sum(values) / len(values) for key, values in chosen.items()}


def _key(run):
    """The key (source, target, data, seed) of a run's record."""
    return run["source"], run["target"], run["data"], int(run["seed"])
