"""The exception types that a user of A² can meet.

Every message says what is wrong with *this* input and what to do about it, in one or two plain
sentences, because the app prints it to people as it stands, or in another language by its template
(`a2core.languages.sentence`). Programming errors stay ordinary Python exceptions.
"""

from typing import Any

from a2core.languages import sentence


class A2Error(Exception):
    """Base of every error that bad input, a bad file or a missing device can cause.

    Made of a sentence, or of a template and the values in it: `MediaError("{who} is empty.", who=name)`.
    """

    def __init__(self, said: str, **values: Any) -> None:
        super().__init__(sentence(said, **values) if values else said)


class MediaError(A2Error):
    """A picture or clip that cannot be read, or that breaks a limit on uploads."""


class CheckpointError(A2Error):
    """A checkpoint that is missing, damaged, unsafe or does not fit its card."""


class NetworkError(A2Error):
    """A network, module name or device that cannot be used as asked."""


class BlockError(A2Error):
    """A double attention block built with, or given, something it cannot work on."""


class InterventionError(A2Error):
    """An experiment on a block's primitives that cannot be done as asked."""


class Stopped(A2Error):  # noqa: N818 - nothing went wrong: somebody asked for it
    """Work that was stopped on request, before it was done."""


class TrainingError(A2Error):
    """Training or evaluation data, settings or state that cannot be used."""


class MissingExtraError(A2Error):
    """Something that needs a library that is installed on request only (`a2core.extras`)."""


class AtlasError(A2Error):
    """An atlas that cannot be built, read or asked: its pictures, its folder, its version."""


# What a torch module raises at an input that it cannot take.
FORWARD_FAULTS = (
    RuntimeError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    AssertionError,
    AttributeError,
)


def first_line(error: BaseException | None) -> str:
    """What an error of a network says, short enough to be part of a sentence."""
    text = (str(error) or type(error).__name__).strip().splitlines()[0].rstrip(".!")
    return text if len(text) <= 160 else text[:157] + "…"
