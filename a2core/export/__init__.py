"""Take a trace with you: its arrays, a table of ρ, a figure for a paper, a movie of a clip."""

from a2core.export.arrays import rho_csv, trace_arrays, write_npz
from a2core.export.figure import figure_png
from a2core.export.movie import Movie, overlay_movie

__all__ = ["Movie", "figure_png", "overlay_movie", "rho_csv", "trace_arrays", "write_npz"]
