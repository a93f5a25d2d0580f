"""About: what one sees, how well it was measured, where it comes from."""
