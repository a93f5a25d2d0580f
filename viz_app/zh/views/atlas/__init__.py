"""The Primitives page, in Chinese."""
