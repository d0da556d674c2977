"""The command `empathy-transfer`: checks of a study, and questions to it, beside the workflow."""

import argparse
import os
import signal
import sys
from pathlib import Path

import empathy_transfer


def main(arguments=None):
    """Run the command.

    Args:
        arguments: list of text, those of the process when None.

    Returns:
        int: exit status; 0 fine (or repaired, or as a run would make it now), 1 damage found (or not all of it
            repaired, or a run would make something else), 130 interrupted. Wrong usage, or a question without an
            answer, exits with 2.
    """
    parser = _parser()
    choice = parser.parse_args(arguments)
    try:
        return choice.run(parser, choice)
    except KeyboardInterrupt:
        print("Interrupted. Give the same command again to go on.", file=sys.stderr)
        return 128 + signal.SIGINT


def _tell(text):
    """Print to standard output; a reader that has seen enough, such as `head`, is no error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Nobody reads: what Python would still write when it ends must not fail either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser():
    """The command line, as `argparse` wants it."""
    parser = argparse.ArgumentParser(prog="empathy-transfer", description=empathy_transfer.__doc__)
    parser.add_argument("--version", action="version", version=f"%(prog)s {empathy_transfer.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    of_study = argparse.ArgumentParser(add_help=False)
    of_study.add_argument("study", help="name of the study: a folder in RESULTS")
    of_study.add_argument("--results", type=Path, default=Path("results"), help="folder of all studies (%(default)s)")
    verify = commands.add_parser(
        "verify",
        parents=[of_study],
        help="check all files of a study, and clear what is damaged",
        description="Check all files of a study against the record of what made them. Status 0: nothing is damaged "
        "(or the repair is done); 1: damage was found; 2: wrong usage.",
    )
    verify.add_argument(
        "--repair",
        action="store_true",
        help="remove what is damaged and everything made from it, so that one plain run of the workflow restores it",
    )
    verify.set_defaults(run=_verify)
    why = commands.add_parser(
        "why",
        help="say how a result was made, and what would change if it were made now",
        description="Say how a result was made, and what would change if it were made now. Status 0: nothing would; "
        "1: something would, or is damaged; 2: wrong usage, or nothing says what made it.",
    )
    why.add_argument("result", type=Path, help="a file or folder below results/<study>")
    why.add_argument(
        "--configfile",
        action="append",
        metavar="FILE",
        help="config of the study instead of the one that the result was made with; several are laid over each other",
    )
    why.add_argument("--no-plan", action="store_true", help="do not ask what a run would do, which takes seconds")
    why.set_defaults(run=_why)
    design = commands.add_parser(
        "design",
        help="say what a planned study could find, and what to add to it first",
        description="Calculate, by simulation, how often a study of this size reaches the right verdict on each claim, "
        "by the size of the effect, and what seeds, test items, tasks or datasets would add. Less than a minute.",
    )
    for name, default, words in (
        ("--tasks", 18, "number of tasks"),
        ("--datasets", 9, "number of datasets that they come from"),
        ("--seeds", 3, "seeds of each run"),
        ("--test-items", 300, "test items of a task"),
    ):
        design.add_argument(name, type=int, default=default, metavar="N", help=f"{words} (%(default)s)")
    design.add_argument(
        "--pilot", type=Path, metavar="FOLDER", help="a finished study, results/STUDY, to take the luck of runs from"
    )
    design.set_defaults(run=_design)
    register = commands.add_parser(
        "preregister",
        help="write down claims, bounds and settings of a study before it is run",
        description="Write the claims, bounds and settings of a study with their digests into one file. A study that "
        "names it as `preregistration` in its config says on its claims page whether it keeps to it. Status 0: it is "
        "written; 2: it can't be.",
    )
    register.add_argument(
        "--configfile",
        action="append",
        default=[],
        metavar="FILE",
        help="config of the study, laid over config/config.yaml; several are laid over each other",
    )
    register.add_argument("--output", type=Path, metavar="FILE", help="file to write; it must not be there yet")
    register.set_defaults(run=_preregister)
    provenance = commands.add_parser(
        "provenance",
        parents=[of_study],
        help="write the table of what each job of a study cost and was made with",
        description="Write RESULTS/STUDY/provenance.csv, one row for each finished job. Each run does so at its end.",
    )
    provenance.set_defaults(run=_provenance)
    return parser


def _verify(parser, choice):
    """Check a study, print the report and return the exit status."""
    from empathy_transfer.inspection.verify import verify_study

    report = verify_study(_study_folder(parser, choice), repair=choice.repair)
    _tell(report.text())
    return 0 if report.ok else 1


def _why(parser, choice):
    """Explain a result, print the words and return the exit status."""
    from empathy_transfer.inspection.plan_query import NoPlan, add_plans
    from empathy_transfer.inspection.why import WhyError, explain, study_root
    from empathy_transfer.inspection.why_report import render
    from empathy_transfer.records.provenance import ArtefactError

    if missing := [path for path in choice.configfile or [] if not Path(path).is_file()]:
        parser.error(f"there is no config file {missing[0]}")
    try:
        root, study = study_root(choice.result)
        explanations = explain(choice.result)
    except (WhyError, ArtefactError) as error:
        parser.error(str(error))
    upstream, no_plan = None, "it was not asked for."
    if not choice.no_plan:
        try:
            upstream, no_plan = add_plans(root, study, explanations, choice.configfile), None
        except NoPlan as error:
            no_plan = str(error)
    _tell(render(explanations, upstream, no_plan))
    return 1 if any(explanation.differs for explanation in explanations) else 0


def _design(parser, choice):
    """Calculate the power of a plan, and print it."""
    from empathy_transfer.inspection import study_design
    from empathy_transfer.inspection.preregister import CLAIMS
    from empathy_transfer.records.provenance import ArtefactError
    from empathy_transfer.validation.planned_studies import Plan, Spreads

    plan = Plan(choice.tasks, choice.datasets, choice.seeds, choice.test_items)
    if not (1 <= plan.datasets <= plan.tasks and plan.tasks >= 3 and plan.seeds >= 1 and plan.items >= 10):
        parser.error("a study has 3 tasks or more, in at most as many datasets, a seed, and 10 test items or more")
    if not CLAIMS.is_file():
        parser.error(f"there is no file of claims {CLAIMS}. Give the command in the folder of the workflow.")
    try:
        spreads = study_design.pilot_spreads(choice.pilot) if choice.pilot else Spreads()
    except (OSError, ValueError, ArtefactError) as error:
        parser.error(str(error))
    _tell(study_design.power_in_words(plan, spreads, study_design.calculate(plan, spreads, CLAIMS)))
    return 0


def _preregister(parser, choice):
    """Write the registration of a study, and say where it is."""
    from empathy_transfer.errors import DataError
    from empathy_transfer.inspection.preregister import CannotRegister, preregister

    try:
        _tell(preregister(".", choice.configfile, choice.output))
    except (CannotRegister, DataError) as error:
        parser.error(str(error))
    return 0


def _provenance(parser, choice):
    """Write the table of all jobs of a study, and say where it is."""
    from empathy_transfer.inspection.provenance_table import write_provenance_table

    _tell(write_provenance_table(_study_folder(parser, choice)))
    return 0


def _study_folder(parser, choice):
    """The folder of the study that was named; a wrong name ends the command."""
    # A name and nothing else: `verify .. --repair` must not walk through the folders around the study.
    is_name = Path(choice.study).name == choice.study and choice.study not in {"", ".."}
    if not is_name or not (choice.results / choice.study).is_dir():
        studies = sorted(path.name for path in choice.results.glob("*") if path.is_dir())
        known = f"the studies there: {', '.join(studies)}" if studies else "there is none yet"
        parser.error(f"there is no study {choice.study!r} in {choice.results.as_posix()}/; {known}")
    return choice.results / choice.study


if __name__ == "__main__":
    sys.exit(main())
