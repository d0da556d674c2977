"""Every weight of the encoder is trained, and no adapter is added (as Hasan et al. train, section on training)."""

TRAINS_ENCODER = True
