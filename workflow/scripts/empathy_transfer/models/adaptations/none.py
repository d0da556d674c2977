"""The encoder stays as it is: the head alone is trained."""

TRAINS_ENCODER = False
