"""What can be asked of results: whether they are whole, why they are as they are, what they cost."""
