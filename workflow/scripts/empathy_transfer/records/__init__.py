"""What lies on disk, and what is written beside it: artefacts, provenance, encoders."""
