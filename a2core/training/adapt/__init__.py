"""Blocks adapted to a frozen trunk, from folders of photos to a checkpoint with its card."""
