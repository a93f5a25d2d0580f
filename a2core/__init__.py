"""A²: the reference implementation of double attention networks, and looking into what they attend to.

import a2core
model = a2core.load_model("a2-lite0")
trace = model.trace(a2core.read_media("photo.jpg"))
a2core.effective_attention(trace.blocks["blocks.4"], (0, 14, 14))
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - pip looks at it, a clone on the path does not
    raise ImportError(
        "A² needs Python 3.11 or newer, and this is "
        + ".".join(map(str, sys.version_info[:2]))
        + ". Make an environment with a newer one."
    )

from a2core.atlas.answers import Exemplar, Photo
from a2core.atlas.build import Built, build_atlas
from a2core.atlas.read import Atlas
from a2core.bench.costs import POSITIONS, Cost, Exponent, cost_curve, count_cost, fit_exponent, measure_cost
from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.registry import KINDS as BLOCK_KINDS
from a2core.checkpoints import CheckpointInfo, checkpoint_folder, list_checkpoints, save_checkpoint
from a2core.errors import (
    A2Error,
    AtlasError,
    BlockError,
    CheckpointError,
    InterventionError,
    MediaError,
    MissingExtraError,
    NetworkError,
    Stopped,
    TrainingError,
)
from a2core.export import Movie, figure_png, overlay_movie, rho_csv, write_npz
from a2core.extras import need_extra
from a2core.load import checkpoint_network, load_model, untrained_model, video_model
from a2core.media import Clip, made_clip, read_media
from a2core.networks.insert import insert_blocks, remove_blocks
from a2core.networks.nonfinite import find_nonfinite
from a2core.networks.spec import NetworkSpec, is_spec, read_spec
from a2core.rival_networks import Reading, Rival, find_rivals, load_rival, read_block, rival_settings
from a2core.threads import use_cores
from a2core.tools.sharing import from_pretrained, push_to_hub, save_pretrained
from a2core.tracing.adopt import AdoptionReport, adopt
from a2core.tracing.intervene import Replay
from a2core.tracing.lesson import Lesson, take_lesson
from a2core.tracing.model import Model
from a2core.tracing.model_of import model_of
from a2core.tracing.outcome import Attribution, ClassShift, Outcome
from a2core.tracing.pairs import AttentionTrace, PairsTrace, rollout
from a2core.tracing.probe import (
    attention_terms,
    cell_of_pixel,
    effective_attention,
    half_area,
    pixel_of_cell,
    rank_primitives,
    reach,
    received_attention,
)
from a2core.tracing.trace import BlockTrace, Trace
from a2core.version import __version__ as __version__

__all__ = [
    "BLOCK_KINDS",
    "POSITIONS",
    "A2Error",
    "AdoptionReport",
    "Atlas",
    "AtlasError",
    "AttentionTrace",
    "Attribution",
    "BlockError",
    "BlockTrace",
    "Built",
    "CheckpointError",
    "CheckpointInfo",
    "ClassShift",
    "Clip",
    "Cost",
    "DoubleAttention",
    "Exemplar",
    "Exponent",
    "InterventionError",
    "Lesson",
    "MediaError",
    "MissingExtraError",
    "Model",
    "Movie",
    "NetworkError",
    "NetworkSpec",
    "Outcome",
    "PairsTrace",
    "Photo",
    "Reading",
    "Replay",
    "Rival",
    "Stopped",
    "Trace",
    "TrainingError",
    "adopt",
    "attention_terms",
    "build_atlas",
    "cell_of_pixel",
    "checkpoint_folder",
    "checkpoint_network",
    "cost_curve",
    "count_cost",
    "effective_attention",
    "figure_png",
    "find_nonfinite",
    "find_rivals",
    "fit_exponent",
    "from_pretrained",
    "half_area",
    "insert_blocks",
    "is_spec",
    "list_checkpoints",
    "load_model",
    "load_rival",
    "made_clip",
    "measure_cost",
    "model_of",
    "need_extra",
    "overlay_movie",
    "pixel_of_cell",
    "push_to_hub",
    "rank_primitives",
    "reach",
    "read_block",
    "read_media",
    "read_spec",
    "received_attention",
    "remove_blocks",
    "rho_csv",
    "rival_settings",
    "rollout",
    "save_checkpoint",
    "save_pretrained",
    "take_lesson",
    "untrained_model",
    "use_cores",
    "video_model",
    "write_npz",
]
