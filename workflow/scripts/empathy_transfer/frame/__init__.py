"""The frame of every job: log, lock, device, warm start, and results that others have made."""
