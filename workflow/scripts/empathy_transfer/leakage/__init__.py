"""What held-out items have in common with training items, and training sets without it."""
