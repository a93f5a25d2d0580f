"""The words of Experiment; pure. What is worked out for them is in content.py."""

from __future__ import annotations

import math
from collections.abc import Sequence

from viz_app.ui import language

LEAD = (
    '<div class="a2-lead"><h1>Switch a primitive off.</h1>'
    "<p>See what the network then says about the picture or clip that you chose on Explore.</p></div>"
)
UNTRAINED = (
    '<div class="a2-untrained" role="status"><strong>Random weights.</strong> These blocks were '
    "never trained: what they change is real, what they attend to means nothing.</div>"
)
NO_BLOCK = "This network has no double attention block to experiment with. Choose other weights."

# While something runs.
TRACING = "Tracing the clip"
RUNNING_ONCE = "Running the network once, to keep what stands before the blocks"
RUNNING_DONOR = "Running the network on the other picture"
RUNNING_TAIL = "Running what stands behind the block"

# What can be done.
RULE, CLASS = "The weight ρ of what is off", "Class"
RULES = {"missing": "goes missing", "shared": "goes to the others"}
ABOUT_RULE = (
    "Goes missing: the terms V_ij · expand(g_i) of what is off are left out of the sum. Goes to "
    "the others: at every position ρ is renormalised over what is left and sums to 1 again."
)
ALL_OFF, UNDO, RESET = "All off", "Undo", "Reset"
NOTHING_TO_SHARE = (
    "With every primitive off nothing is left to share ρ among, so nothing is renormalised: this is the "
    "network without the block."
)
TRANSPLANT = "<h3>Transplant a bag <small>gathered in one picture, distributed into this one</small></h3>"
DONOR, ITS_OWN = "Bag of primitives gathered from", "its own"
ABOUT_TRANSPLANT = (
    '<p class="a2-why">The bag fits whatever the shape of the other picture or the length of the '
    "clip: it is a set of vectors without positions. Where each was gathered is summed away; where "
    "it goes, ρ of this picture decides.</p>"
)

# The result.
POINTS, SHORT_POINTS = "percentage points", "pts"
SHIFTS_ALT = "The classes before and after"
COLUMNS = {
    "class": "class",
    "before": "before",
    "after": "after",
    "probability": "probability",
    "change": "change",
    "odds": "log-odds",
}
CHANGED = "Where the block’s output changed"
BETWEEN_NOTES = " "
NOWHERE = "Nowhere: it is what it was."
PLACES = (  # rows of a picture, from the top; in each from the left
    ("at the top left", "at the top", "at the top right"),
    ("in the middle left", "in the middle", "in the middle right"),
    ("at the bottom left", "at the bottom", "at the bottom right"),
)

# What the rank correlation says, from the best down; the tiles are read by their order.
VERDICTS = (
    "So here the tiles may be read by their order, though not by their sizes.",
    "So here the order of the tiles is right in the rough only: measure before one is believed.",
    "So here the order of the tiles must not be believed.",
)
NO_ORDER = "So here the tiles have no order that could be believed."
UNDEFINED = "not defined"


def effect_of(label: str, *, transplanted: bool) -> str:
    """What the numbers on the tiles are the effect on."""
    return label + (", by its own bag" if transplanted else "")


def about_trust(count: int) -> str:
    """What the number on a tile is, and what finding the truth takes."""
    return (
        "<h3>Can the number on a tile be trusted?</h3><p>It is the <b>first-order term</b>: what the "
        "primitive adds to the class if the network behind the block were linear. It is not. The true "
        f"effect takes one run each: {count} runs of what stands behind the block.</p>"
    )


def measure(count: int) -> str:
    """The button that has the true effects measured."""
    return f"Measure all {count}"


def measuring(count: int) -> str:
    """What is done while its visitor waits."""
    return f"Switching off {count} primitives, one at a time"


# ---- what was done, as parts of the beginning of a sentence; names of primitives come as HTML


def bag_of(title: str) -> str:
    """Another picture's bag."""
    return f"with the bag of <i>{title}</i>"


def without_block(count: int) -> str:
    """Every primitive is off."""
    return f"without this block (all {count} primitives off)"


def alone(name: str, factor: str) -> str:
    """One is left; `factor` is "" where it is as strong as it was."""
    return f"with {name}{f' × {factor}' if factor else ''} alone"


def only(names: str) -> str:
    """Few are left."""
    return f"with only {names}"


def without(names: str) -> str:
    """Some are off."""
    return f"without {names}"


def scaled(names: Sequence[str], more: int, *, first: bool) -> str:
    """Some are weaker or stronger, `more` beside those that are named; `first`: the sentence begins so."""
    rest = f" and {more} more scaled" if more else ""
    return ("with " if first else "") + " and ".join(names) + rest


def some(names: Sequence[str], more: int) -> str:
    """Primitives by their names, and how many others."""
    if more:
        return f"{', '.join(names)} and {more} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def beginning(parts: Sequence[str]) -> str:
    """Those parts as the beginning of a sentence."""
    said = ", ".join(parts)
    return said[:1].upper() + said[1:]


# ---- what came of it


def as_it_is(name: str, share: str) -> str:
    """Nothing is changed yet."""
    return f"With all its primitives the network says <b>{name}</b>, {share}. Switch one off."


def another_answer(done: str, other: str, its: str, name: str, was: str, now: str) -> str:
    """The network's answer is another class."""
    return (
        f"{done} the network says <b>{other}</b>, {its}, in place of <b>{name}</b>, which falls from {was} "
        f"to {now}."
    )


def same_answer(done: str, name: str, share: str) -> str:
    """Nothing moved."""
    return f"{done} the network still says <b>{name}</b> with {share}: not a digit moves."


def changed_answer(done: str, name: str, was: str, now: str, size: str, *, more: bool) -> str:
    """The same class, with another probability."""
    return (
        f"{done} the network says <b>{name}</b> with {now} in place of {was}: <b>{size}</b> "
        f"{'more' if more else 'less'}."
    )


def moved_by(nats: str) -> str:
    """How far the answer moved over all classes."""
    return f"The answer as a whole moved by {nats}."


def in_proportion(name: str, change: str, nats: str) -> str:
    """What the whole block is worth."""
    return f"In proportion: without the whole block {name} changes by {change}, the answer by {nats}."


def bars_to(share: str) -> str:
    """What the longest bar of a probability stands for."""
    return f"bars to {share}"


def bar_ends(reach: str) -> str:
    """What the end of a bar of log-odds stands for."""
    return f"bar ends at ± {reach}"


def changed_alt(alt: str, peak: str, place: str) -> str:
    """What the picture of the change shows; `place` is one of PLACES, "" where nothing changed."""
    where = f", most where {place}" if place else ""
    return f"{alt}: the block’s output changed by up to {peak}{where}"


def changed_scale(count: int, half: str) -> str:
    """What the colours of that picture mean."""
    return f"|Y′ − Y| / |Y| at each position; half of the {count} positions changed by less than {half}."


def trust(*, correlation: str, name: str, leader: int, effect: str, first: int, verdict: str) -> str:
    """How far first-order terms and true effects agree, in HTML; `leader` and `first` lead each."""
    agree = "also has" if leader == first else f"is not g<sub>{first}</sub>, which has"
    return (
        f"Spearman’s rank correlation of the two is <b>{correlation}</b> for <b>{name}</b>. The largest true "
        f"effect is that of g<sub>{leader}</sub>, {effect} logit; it {agree} the largest first-order term. "
        f"{verdict}"
    )


def trust_alt(count: int, label: str, correlation: str) -> str:
    """What their chart shows."""
    return (
        f"Scatter plot of {count} primitives for {label}: first-order term against true effect, rank "
        f"correlation {correlation}"
    )


def verdict(rank_correlation: float) -> str:
    """What a rank correlation means for the numbers on the tiles."""
    if math.isnan(rank_correlation):
        return NO_ORDER
    return VERDICTS[0 if rank_correlation >= 0.9 else 1 if rank_correlation >= 0.6 else 2]


language.in_each_language(__name__)
