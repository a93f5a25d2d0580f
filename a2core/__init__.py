"""A²: the reference implementation of double attention networks, and looking into what they attend to.

import a2core
model = a2core.load_model("a2-lite0")
trace = model.trace(a2core.read_media("photo.jpg"))
a2core.effective_attention(trace.blocks["blocks.4"], (0, 14, 14))
"""

from a2core.adopt import AdoptionReport, adopt, model_of
from a2core.checkpoints import (
    CheckpointInfo,
    list_checkpoints,
    load_model,
    save_checkpoint,
    untrained_model,
)
from a2core.double_attention import DoubleAttention
from a2core.errors import (
    A2Error,
    BlockError,
    CheckpointError,
    InterventionError,
    MediaError,
    NetworkError,
    Stopped,
    TrainingError,
)
from a2core.export import Movie, figure_png, overlay_movie, rho_csv, write_npz
from a2core.intervene import Attribution, ClassShift, Outcome, Replay
from a2core.lesson import Lesson, take_lesson
from a2core.media import Clip, made_clip, read_media
from a2core.networks import find_nonfinite, insert_blocks
from a2core.probe import (
    attention_terms,
    cell_of_pixel,
    effective_attention,
    pixel_of_cell,
    rank_primitives,
    reach,
    received_attention,
)
from a2core.trace import BlockTrace, Model, Trace

__all__ = [
    "A2Error",
    "AdoptionReport",
    "Attribution",
    "BlockError",
    "BlockTrace",
    "CheckpointError",
    "CheckpointInfo",
    "ClassShift",
    "Clip",
    "DoubleAttention",
    "InterventionError",
    "Lesson",
    "MediaError",
    "Model",
    "Movie",
    "NetworkError",
    "Outcome",
    "Replay",
    "Stopped",
    "Trace",
    "TrainingError",
    "adopt",
    "attention_terms",
    "cell_of_pixel",
    "effective_attention",
    "figure_png",
    "find_nonfinite",
    "insert_blocks",
    "list_checkpoints",
    "load_model",
    "made_clip",
    "model_of",
    "overlay_movie",
    "pixel_of_cell",
    "rank_primitives",
    "reach",
    "read_media",
    "received_attention",
    "rho_csv",
    "save_checkpoint",
    "take_lesson",
    "untrained_model",
    "write_npz",
]
