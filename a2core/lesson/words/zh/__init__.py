"""What Learn says, in Chinese."""
