"""The choice of the engine that trains."""

from empathy_transfer.models import fast


def choose_engine(setting, encoder):
    """Return the engine class for a setting (`auto`, `fast`, `reference`) and an encoder.

    `auto` takes the fast engine where it can compute the encoder, else the reference engine, whose library is imported
    only then.

    Raises:
        ValueError: `fast` was asked for, but it can't compute this encoder.
    """
    if setting != "reference" and fast.applies_to(encoder):
        return fast.FastEngine
    if setting == "fast":
        raise ValueError(
            f"the fast engine can't compute {encoder.name}; set `engine: auto` or `engine: reference` under `training`"
        )
    from empathy_transfer.models.reference import ReferenceEngine

    return ReferenceEngine
