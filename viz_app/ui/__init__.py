"""What pages share: the frame round them, addresses, words, figures, charts, style."""
