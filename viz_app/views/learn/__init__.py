"""Learn: the block's equations on one picture, in seven steps."""
