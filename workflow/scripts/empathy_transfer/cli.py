"""The command `empathy-transfer`: checks on a study beside the workflow."""

import argparse
import sys
from pathlib import Path

import empathy_transfer
from empathy_transfer.verify import verify_study


def main(arguments=None):
    """Run the command.

    Args:
        arguments: list of text, those of the process when None.

    Returns:
        int: exit status; 0 fine (or repaired), 1 damage found (or not all of it repaired). Wrong usage exits with 2.
    """
    parser = _parser()
    choice = parser.parse_args(arguments)
    return choice.run(parser, choice)


def _parser():
    """The command line, as `argparse` wants it."""
    parser = argparse.ArgumentParser(prog="empathy-transfer", description=empathy_transfer.__doc__)
    parser.add_argument("--version", action="version", version=f"%(prog)s {empathy_transfer.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    verify = commands.add_parser(
        "verify",
        help="check all files of a study, and clear what is damaged",
        description="Check all files of a study against the record of what made them. Status 0: nothing is damaged "
        "(or the repair is done); 1: damage was found; 2: wrong usage.",
    )
    verify.add_argument("study", help="name of the study: a folder in RESULTS")
    verify.add_argument(
        "--repair",
        action="store_true",
        help="remove what is damaged and everything made from it, so that one plain run of the workflow restores it",
    )
    verify.add_argument("--results", type=Path, default=Path("results"), help="folder of all studies (%(default)s)")
    verify.set_defaults(run=_verify)
    return parser


def _verify(parser, choice):
    """Check a study, print the report and return the exit status."""
    # A name and nothing else: `verify .. --repair` must not walk through the folders around the study.
    is_name = Path(choice.study).name == choice.study and choice.study not in {"", ".."}
    if not is_name or not (choice.results / choice.study).is_dir():
        studies = sorted(path.name for path in choice.results.glob("*") if path.is_dir())
        known = f"the studies there: {', '.join(studies)}" if studies else "there is none yet"
        parser.error(f"there is no study {choice.study!r} in {choice.results.as_posix()}/; {known}")
    report = verify_study(choice.results / choice.study, repair=choice.repair)
    print(report.text())
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
