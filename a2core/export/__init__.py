"""Take a trace with you: its arrays, a table of ρ, a figure for a paper."""

from a2core.export.arrays import rho_csv, trace_arrays, write_npz
from a2core.export.figure import figure_png

__all__ = ["figure_png", "rho_csv", "trace_arrays", "write_npz"]
