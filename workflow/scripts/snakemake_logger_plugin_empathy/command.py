"""The command that goes on with a run: the one that the user typed, as far as it can be typed again."""

import os
import shlex
import shutil
import sys
from pathlib import Path

# Repeating these would make everything anew instead of going on.
NOT_REPEATED = {"--forceall", "-F", "--force", "-f", "--dry-run", "--dryrun", "-n"}
# Where the raw data lie decides what is planned, so it belongs to the command.
ENVIRONMENT = ("EMPATHY_RAW_DIR",)


def go_on_command(argv=None):
    """The command line of this run, quoted for the shell.

    Args:
        argv: program and arguments; by default those of this process.
    """
    argv = sys.argv if argv is None else argv
    return _render(argv, [argument for argument in argv[1:] if argument not in NOT_REPEATED])


def partial_command(argv=None):
    """The command line of this run with `partial` as its only target."""
    argv = sys.argv if argv is None else argv
    arguments = [argument for argument in argv[1:] if argument not in NOT_REPEATED]
    for target in targets(arguments):
        # The last one: an option that takes several values, such as `--config`, may hold the same word before.
        place = len(arguments) - 1 - arguments[::-1].index(target)
        del arguments[place]
    # First, because an option that takes several values would swallow it.
    return _render(argv, ["partial", *arguments])


def targets(arguments):
    """The targets among the arguments; none if Snakemake can't parse them (then there was no run either)."""
    options = parsed(arguments)
    return [str(target) for target in (options and options.targets) or [] if str(target) in arguments]


def parsed(arguments):
    """The arguments as Snakemake reads them; None if it can't."""
    from snakemake.cli import get_argument_parser

    try:
        # Without its profiles: their targets are not on the command line.
        return get_argument_parser().parse_args(list(arguments))
    except (Exception, SystemExit):
        return None


def _render(argv, arguments):
    """Environment, program and arguments as one line for the shell."""
    settings = [f"{name}={shlex.quote(os.environ[name])}" for name in ENVIRONMENT if os.environ.get(name)]
    return " ".join([*settings, *map(shlex.quote, [*_program(argv[0]), *arguments])])


def _program(program):
    """The program as one would type it here: by its bare name if the shell finds it, else by its path."""
    path = Path(program)
    if path.name == "__main__.py":
        return ["python", "-m", path.parent.name]
    found = shutil.which(path.name)
    if found and Path(found).resolve() == path.resolve():
        return [path.name]
    try:
        return [path.resolve().relative_to(Path.cwd()).as_posix()]
    except ValueError:
        return [str(path)]
