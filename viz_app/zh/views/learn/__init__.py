"""The lesson, in Chinese."""
