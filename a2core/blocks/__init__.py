"""What can stand in a network: double attention and its relatives, one file each."""
