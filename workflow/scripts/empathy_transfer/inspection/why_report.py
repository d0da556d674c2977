"""How a result was made and what would change now, in words."""

from collections import Counter
from pathlib import Path

from empathy_transfer.inspection.wording import clean, one_line, span, subject

SHOWN = 20
WIDTH = 10


def render(explanations, upstream=None, no_plan=None):
    """The answer to `why`, as several lines.

    Args:
        explanations: what `why.explain` found, one for each job.
        upstream: other jobs that a run would do for these results, as (rule, wildcards, reasons); None if not known.
        no_plan: why it is not known what a run would do; None if it is.
    """
    lines = _one(explanations[0]) if len(explanations) == 1 else _several(explanations)
    lines += ["", "If it were made now:" if len(explanations) == 1 else "If they were made now:"]
    changes = [line for explanation in explanations for line in _changes(explanation, len(explanations) > 1)]
    lines += _some(changes)
    lines += _verdict(explanations, upstream, no_plan)
    return clean("\n".join(lines))


def _one(explanation):
    """How the results of one job were made."""
    record, run = explanation.record, explanation.run
    lines = [f"{Path(explanation.provenance).parent.as_posix()}: {', '.join(record['outputs']) or 'no file'}"]
    lines += _line("made by", f"rule {record['rule']}, {subject(record['wildcards'])}".removesuffix(", "))
    lines += _line("on", record["created"].replace("T", " "))
    lines += _line("cost", cost(record))
    lines += _line("reused", _reused(record))
    lines += _line("device", ", ".join(str(run[key]) for key in ("device", "engine", "precision") if key in run))
    lines += _line("seed", record["wildcards"].get("seed"))
    lines += _line("encoder", _encoder(record, run))
    for number, (name, digest) in enumerate(_first(record["inputs"].items())):
        lines += _line("" if number else "from", f"{name} (SHA-256 {digest[:12]}...)")
    if len(record["inputs"]) > SHOWN:
        lines += _line("", f"and {len(record['inputs']) - SHOWN} more files, see {explanation.provenance}")
    for number, (name, value) in enumerate(_first(_flat(record["settings"]))):
        lines += _line("" if number else "settings", f"{name}: {_value(value)}")
    if len(_flat(record["settings"])) > SHOWN:
        lines += _line("", f"and {len(_flat(record['settings'])) - SHOWN} more, see {explanation.provenance}")
    lines += _line("code", f"fingerprint {record['code']}")
    lines += _line(
        "packages", ", ".join(f"{name} {version}" for name, version in record["versions"].items() if version)
    )
    return lines + _line("again by", record["remake"])


def _several(explanations):
    """What the jobs of a folder have in common, and what they cost together."""
    records = [explanation.record for explanation in explanations]
    created = sorted(record["created"].replace("T", " ") for record in records)
    lines = [f"{len(records)} finished jobs, made from {created[0]} to {created[-1]}:"]
    lines += [f"  {number:>6}  {rule}" for rule, number in Counter(record["rule"] for record in records).most_common()]
    reused = sum("reused" in record for record in records)
    lines += _line("reused", f"{reused} from a cache" if reused else "")
    total = {"seconds": sum(record["seconds"] for record in records)}
    known = [record for record in records if "cpu_seconds" in record]
    if len(known) == len(records):
        total["cpu_seconds"] = sum(record["cpu_seconds"] for record in known)
        total["peak_memory_mb"] = max(record["peak_memory_mb"] for record in known)
    lines += _line("cost", f"{cost(total)} (times added up, the highest peak)")
    devices = Counter(explanation.run["device"] for explanation in explanations if "device" in explanation.run)
    lines += _line("device", ", ".join(f"{device} ({number})" for device, number in devices.most_common()))
    codes = {(record["rule"], record["code"]) for record in records}
    rules = Counter(rule for rule, _ in codes)
    mixed = [f"{rule} ({number})" for rule, number in rules.items() if number > 1]
    if mixed:
        lines += _line("code", f"several versions of the code made the results of these rules: {', '.join(mixed)}")
    return lines


def cost(record):
    """Wall time, CPU time and memory of a provenance record; older records know the first only."""
    words = [f"{span(record['seconds'])} of wall time"]
    if "cpu_seconds" in record:
        words.append(f"{span(record['cpu_seconds'])} of CPU time")
    if "peak_memory_mb" in record:
        words.append(f"{record['peak_memory_mb']:,.0f} MB of memory at its peak")
    return ", ".join(words)


def _reused(record):
    """Where results come from that were not computed for this study; nothing for all others."""
    made = record.get("reused")
    return made and f"entry {made['key']} of a cache, computed on {made['created'].replace('T', ' ')}: {cost(made)}"


def _changes(explanation, named):
    """One line for each difference of a job; `named` puts the job before it."""
    start = f"{Path(explanation.provenance).parent.as_posix()}: " if named else ""
    lines = [f"  damaged   {file}: {problem}" for file, problem in explanation.damage]
    lines += [f"  input     {start}{file}: {difference}" for file, difference in explanation.inputs]
    lines += [
        f"  setting   {start}{name}: {_value(then)} then, {_value(now)} now" for name, then, now in explanation.settings
    ]
    if explanation.code:
        then, now = explanation.code
        lines.append(
            f"  code      {start}fingerprint {then} then, {now} now: the code that makes it computes otherwise"
        )
    if explanation.versions:
        versions = ", ".join(f"{name} {then} then, {now} now" for name, then, now in explanation.versions)
        lines.append(f"  packages  {start}{versions} (this alone makes nothing run again)")
    return lines


def _verdict(explanations, upstream, no_plan):
    """What a run would do, and what to type where that helps."""
    lines = []
    if no_plan is not None:
        lines = [f"  What a run would do, and which settings and code it would use, is not known: {no_plan}"]
    else:
        if any(explanation.guessed for explanation in explanations):
            lines = ["  Its config is not on record: this is by the file in config/ that names the study."]
        again = [explanation for explanation in explanations if explanation.runs]
        lines += _some([line for explanation in again for line in _again(explanation, len(explanations) > 1)])
        if upstream:
            names = [(f"{rule} {subject(wildcards)}".rstrip(), reasons) for rule, wildcards, reasons in upstream]
            lines.append("  Before that, a run would do:")
            lines += _some([f"    {name}: {', '.join(reasons)}" for name, reasons in names])
        if not again:
            lines.append("  A run would make nothing anew.")
        # Its memory is not among the results: it stays behind when they are copied, and may be deleted.
        forgotten = [kept for kept in explanations if not kept.runs and (kept.settings or kept.code or kept.inputs)]
        if forgotten:
            lines.append(
                "  The engine does not know of these differences (its memory is in .snakemake). To go on, force it:"
            )
            lines += _some([f"    {explanation.record['remake']}" for explanation in forgotten])
    if any(explanation.damage for explanation in explanations):
        study = Path(explanations[0].provenance).parts[1]
        lines.append(f"  The engine does not look for damage; mend it with: empathy-transfer verify {study} --repair")
    return lines


def _again(explanation, named):
    """That a run would make a job's results anew, and why."""
    subjects = Path(explanation.provenance).parent.as_posix() if named else "it"
    return [f"  A run would make {subjects} anew: {', '.join(explanation.reasons)}"]


def _encoder(record, run):
    """The encoder's name and the digest of its weights, as far as they are known."""
    settings = record["settings"].get("encoder")
    name = run.get("encoder_name") or (settings.get("name") if isinstance(settings, dict) else settings)
    digest = f"weights SHA-256 {run['encoder_sha256'][:12]}..." if run.get("encoder_sha256") else ""
    return ", ".join(filter(None, [name, digest]))


def _flat(settings, place=""):
    """Nested settings as rows (`training.epochs`, value)."""
    rows = []
    for key, value in settings.items():
        rows += _flat(value, f"{place}{key}.") if isinstance(value, dict) and value else [(f"{place}{key}", value)]
    return rows


def _value(value):
    """A setting's value; None is one that is not there or not set."""
    return "unset" if value is None else one_line(value, 80)


def _line(name, text):
    """A named line; nothing where there is nothing to say."""
    return [f"  {name:<{WIDTH}}{text}"] if text else []


def _first(rows):
    """The rows that are shown."""
    return list(rows)[:SHOWN]


def _some(lines):
    """The first lines, and how many more there are."""
    return lines[:SHOWN] + ([f"  and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else [])
