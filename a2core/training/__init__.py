"""Training the blocks, and measuring what they learned. Only `cli` imports this package."""
