"""What pages share, in Chinese."""
