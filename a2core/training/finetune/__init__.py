"""End to end on labels: fine-tuning a whole network, and the study of six variants."""
