"""Compare: the relatives of the block beside each other, and what they cost."""
