"""Training of adapters on a frozen encoder, and of whole encoders: engines, loop, evaluation, files."""
