"""Encoders, adapters and heads, and how they are computed."""
