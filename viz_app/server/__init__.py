"""What one server does for many visitors: one store in bytes, one queue, and who is here. Draws nothing.

`store.py` keeps what was read and worked out, within bounds; `jobs.py` does one thing at a time, fairly;
`metrics.py` counts; `visitors.py` knows whose browser is asking and when it has left.
"""
