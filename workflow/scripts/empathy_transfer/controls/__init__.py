"""What else a gain may be due to: capacity, context, labels."""
