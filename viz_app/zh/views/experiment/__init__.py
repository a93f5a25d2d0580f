"""What Experiment says, in Chinese."""
