"""Looking into a network: traces, questions, interventions, blocks written by others."""
