"""What pages say, in Chinese."""
