"""The frame of every job: log, lock, device, warm start, and results that others have made."""

import sys


def _tell(kind, error, trace, usual=sys.excepthook):
    """What Python says of an error that nothing has caught; nothing of Ctrl-C, of which the console tells."""
    if not issubclass(kind, KeyboardInterrupt):
        usual(kind, error, trace)


# Here, so that it holds while a job still imports the rest.
sys.excepthook = _tell
