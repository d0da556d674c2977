"""Engines: two ways to compute an encoder with what adapts it and a head. `compose` chooses one."""
