"""hybrid bridge."""
