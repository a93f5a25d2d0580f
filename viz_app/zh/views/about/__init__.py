"""About, in Chinese."""
