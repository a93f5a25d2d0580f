"""What all components of our own share: how one is made, and one protocol between it and Python."""
