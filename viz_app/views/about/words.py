"""The words of About; pure. Names of measures and of what a card says are the card's own."""

from __future__ import annotations

from pathlib import Path

from viz_app.ui import language
from viz_app.views.about import card_words

PROSE = Path(__file__).with_name("about.html")
HEADING = "About this explorer"
PICTURES, INSIDE = "Pictures", "All are inside scikit-image."
OF, THE_NETWORK, NETWORK, NOT_STATED = "of", "the network", "network", "not stated"
UNSAID = "what the card does not say"
YES, NO, TO = "yes", "no", " to "

MEANINGS = {
    "click-AUC": "Of a cell inside the region that was pointed at and one outside, how often the one inside "
    "is attended to more. 0.5 is chance, 1 is always.",
    "overlap": "How well the best of the gather maps fits a labelled region: what both cover, as a part of "
    "what either covers. 1 is exact.",
    "overlap of ρ": "The same, of the maps of where primitives are handed out.",
    "median reach": "The part of the picture that the middle one of the gather maps covers.",
    "dead": "Primitives that are hardly handed out anywhere.",
    "redundancy": "How alike a gather map is to the one most like it, on average. 1 is a copy.",
    "stability": "How alike the primitives of two seeds are, each matched to its twin: the correlation of "
    "where they are handed out.",
    "class purity": "Of the twenty photos that a primitive is handed out in most, how many are of one class.",
    "MonoScore": "How much more alike these twenty are to another network than any twenty are.",
    "part purity": "Of the hundred places where a primitive is handed out most, how many lie on one kind of "
    "thing: skin, hair, a garment.",
    "mIoU": "Each place given to its strongest primitive: how well these areas fit the labelled ones. 1 is "
    "exact.",
    "mass-Jaccard": "How well the places that hold 60 % of a primitive fit the labelled area nearest to "
    "them.",
    "deletion": "Primitives taken away, those that matter to the answer first: how much of the answer is "
    "left on the way. The less, the better it is known which matter.",
    "J&F": "The mask of a clip’s first frame, carried on by attention: how well it fits the frames after. 1 "
    "is exact.",
    "top-1": "The right class is the network’s first guess.",
    "top-5": "The right class is among its first five guesses.",
    "agreement with the plain trunk": "How often it answers as the network without blocks does.",
    "use (KL, nats)": "How much the answer changes when a block is left out. 0 is not at all.",
}


def model(name: str) -> str:
    """The title over what a model's card says."""
    return f"The model: {name}"


def how_well(name: str) -> str:
    """The title over what was measured of a model."""
    return f"How well {name} does"


def measured_on(what: str) -> str:
    """On what, and how to read the table."""
    return f"Measured on {what}. The best of a line is bold."


def column(name: str) -> str:
    """What stands over a column: "ours", or a baseline under the card's name for it."""
    return card_words.baseline(name)


def refused(name: str) -> str:
    """The title over why a checkpoint was refused."""
    return f"Refused: {name}"


def block_after(name: str) -> str:
    """A block, by the module that it stands behind."""
    return f"block after {name}"


def bag_of(n: object, m: object) -> str:
    """The sizes of its bag."""
    return f"{n} primitives of {m} channels each"


language.in_each_language(__name__)
