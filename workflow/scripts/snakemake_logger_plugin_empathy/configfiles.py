"""What is wrong with a config file of the command line, which Snakemake reads before any rule can say it."""

import difflib
from pathlib import Path


def config_fault(arguments):
    """What is wrong with the first config file that can't be read, and how to mend it; None if all can be.

    Args:
        arguments: those of the command line, without the program.
    """
    from snakemake_logger_plugin_empathy.command import parsed

    options = parsed(arguments)
    faults = (_fault(Path(path)) for path in (options and options.configfile) or [])
    return next(filter(None, faults), None)


def _fault(path):
    """What is wrong with one file; None if it can be read."""
    try:
        path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return f"There is no config file {path}{_remedy(path)}"
    except UnicodeDecodeError as error:
        return f"The config file {path} is not UTF-8 (byte {error.start}). Save it as UTF-8."
    except OSError as error:
        return f"The config file {path} can't be read: {error.strerror}."
    return None


def _remedy(path):
    """What else could have been meant: a file of a similar name, or a target."""
    # By the names alone, since the endings are all alike.
    others = {other.stem: other.name for other in sorted(path.parent.glob("*.y*ml"))}
    if similar := difflib.get_close_matches(path.stem, others, n=1):
        return f". Did you mean {path.with_name(others[similar[0]])}?"
    if path.suffix:
        return f". Known: {', '.join(others.values())}." if others else "."
    return ". --configfile takes all names after it for config files: put targets before it."
