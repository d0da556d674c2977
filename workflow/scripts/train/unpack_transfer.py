"""Entry point of rule unpack_transfer."""

import os

from empathy_transfer.frame.packs import train_alone, unpack
from empathy_transfer.frame.warm_start import continue_warm

if __name__ == "__main__" and not unpack(snakemake, alone="EMPATHY_PACKED_ONLY" not in os.environ):
    continue_warm()
    train_alone(snakemake)
