"""python -m a2core bench, table: what blocks, traces and questions cost."""
