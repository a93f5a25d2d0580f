"""Photos to train and measure on: found, told apart, labelled, read."""
