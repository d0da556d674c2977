"""What a check of a study found, as data and in words."""

from dataclasses import dataclass, field

from empathy_transfer.inspection.wording import aligned
from empathy_transfer.records.provenance import run_command

SHOWN = 20


@dataclass
class Report:
    """What `verify_study` found and did; all files are named as the workflow names them."""

    study: str
    jobs: int = 0
    files: int = 0
    problems: list = field(default_factory=list)  # (file, what is wrong)
    unfinished: list = field(default_factory=list)  # (file, what a plain run still has to do)
    unchecked: list = field(default_factory=list)  # files of an earlier version, without a digest
    orphans: list = field(default_factory=list)  # files that no provenance lists and no job used
    leftovers: list = field(default_factory=list)  # temporary files of killed jobs
    running: list = field(default_factory=list)  # jobs that run at this moment
    drift: list = field(default_factory=list)  # (package, recorded version, version here, number of jobs)
    planned_with: dict | None = None  # of the newest job, see `provenance.plan_of_run`
    repaired: bool = False
    removed: list = field(default_factory=list)
    kept: list = field(default_factory=list)  # (file, why repair left it alone)

    @property
    def ok(self):
        """Whether what is there can be trusted or, after a repair, a plain run will make it so."""
        return not self.kept if self.repaired else not self.problems

    def text(self):
        """The report for people, as several lines."""
        lines = [f"Study {self.study}: {self.jobs} finished jobs, {self.files} files checked."]
        lines += _section("Damaged or out of date", [f"{file}: {reason}" for file, reason in self.problems])
        unfinished = [f"{file}: {reason}" for file, reason in self.unfinished]
        lines += _section("Not finished (no damage; a run makes them anew)", unfinished, SHOWN)
        lines += _section("Not checked, for no digest lies beside them; the next run writes them anew", self.unchecked)
        lines += _section("Known to no job, left alone", self.orphans, SHOWN)
        lines += _section("Left by killed jobs", self.leftovers, SHOWN)
        lines += _section("Running now", self.running)
        if self.drift:
            lines.append("Made with other versions than those installed here (no damage):")
            lines += aligned([("package", "recorded", "installed", "jobs"), *self.drift])
        lines += _section("Removed", self.removed)
        lines += _section("Not removed", [f"{file}: {reason}" for file, reason in self.kept])
        return "\n".join([*lines, self._conclusion()])

    def _conclusion(self):
        """The last line: the verdict, and the command to go on."""
        if self.kept:
            return "The repair is not complete; see above."
        command = run_command(self.study, plan=self.planned_with)
        if not self.problems:
            return "Nothing is damaged." + f" The study is not finished; go on with: {command}" * bool(self.unfinished)
        if self.repaired:
            return f"Make them anew with: {command}"
        return f"Remove them and all that was made from them with: empathy-transfer verify {self.study} --repair"


def _section(title, lines, most=None):
    """A title and indented lines, at most so many; nothing when there are none."""
    shown = lines[:most]
    rest = [f"  ... and {len(lines) - len(shown)} more"] if len(lines) > len(shown) else []
    return [f"{title} ({len(lines)}):", *(f"  {line}" for line in shown), *rest] if lines else []
