"""How jobs run and what they leave behind: frame, lock, device, provenance, and the questions about a study."""
