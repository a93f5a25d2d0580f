"""Explore, in Chinese."""
