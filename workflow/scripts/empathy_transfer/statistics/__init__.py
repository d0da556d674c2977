"""Resampling, intervals and variances that several analyses share."""
