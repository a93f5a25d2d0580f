"""Compare, in Chinese."""
