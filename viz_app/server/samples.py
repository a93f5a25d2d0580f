"""The photos that are there from the start, and a clip made of two of them; nothing is downloaded."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

import a2core
from a2core.canvas import data_url
from a2core.languages import sentence
from viz_app.server.faults import attempt
from viz_app.server.pictures import DECODED_SIDE_PX, FRAMES, THUMBNAIL_PX, Picture, picture_of

SAMPLES_KEPT = 16
MADE = "made-clip"

MADE_OF = ("coffee", "chelsea")  # scene, and what crosses it


@dataclass(frozen=True)
class Sample:
    """A photo inside the scikit-image wheel that the app may show.

    `spot` is where the first probe is put, as (x, y) fractions of the picture.
    """

    name: str
    title: str
    file: str
    alt: str
    credit: str
    spot: tuple[float, float]


# Only photos whose docstring in skimage.data states public domain or CC0, and whose file is in the wheel.
SAMPLES = (
    Sample(
        "chelsea",
        "Cat",
        "chelsea.png",
        "The face of a tabby cat, close up",
        "Chelsea. Photo: Stéfan van der Walt, CC0",
        (0.36, 0.36),
    ),
    Sample(
        "coffee",
        "Coffee",
        "coffee.png",
        "A cup of coffee on a saucer, on a wooden table",
        "Coffee cup. Photo: Rachel Michetti, CC0",
        (0.50, 0.35),
    ),
    Sample(
        "astronaut",
        "Astronaut",
        "astronaut.png",
        "Astronaut Eileen Collins, smiling, in an orange suit before a flag and a model of the Shuttle",
        "Eileen Collins. Photo: NASA, public domain",
        (0.43, 0.20),
    ),
    Sample(
        "rocket",
        "Rocket",
        "rocket.jpg",
        "A rocket lifting off between two towers",
        "Falcon 9 with DSCOVR. Photo: SpaceX, public domain",
        (0.50, 0.40),
    ),
    Sample(
        "camera",
        "Cameraman",
        "camera.png",
        "A man in a coat with a camera on a tripod, black and white",
        "Cameraman. Photo: Lav Varshney, CC0",
        (0.45, 0.25),
    ),
    Sample(
        "hubble",
        "Deep sky",
        "hubble_deep_field.jpg",
        "Hundreds of galaxies on a black sky",
        "Hubble eXtreme Deep Field. Photo: NASA, public domain",
        (0.50, 0.50),
    ),
)


def sample_path(sample: Sample) -> Path:
    """Where the sample's file lies on this machine; nothing is downloaded."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("scikit-image is not installed. Install requirements.txt.")
    return Path(spec.origin).parent / "data" / sample.file


@st.cache_resource(max_entries=SAMPLES_KEPT, show_spinner=False)
def load_sample(sample: Sample) -> Picture:
    """A sample photo, read from the scikit-image wheel.

    Raises:
        MediaError: the file is missing or damaged.
    """
    clip = a2core.read_media(sample_path(sample), max_side_px=DECODED_SIDE_PX)
    return picture_of(
        clip,
        id=sample.name,
        title=sample.title,
        alt=sample.alt,
        credit=sample.credit,
        spot=sample.spot,
        public=True,
    )


def load_samples() -> tuple[dict[str, Picture], list[str]]:
    """All sample photos by their names, and of each that cannot be had why."""
    loaded: dict[str, Picture] = {}
    troubles = []
    for sample in SAMPLES:
        picture, trouble = attempt(lambda sample=sample: load_sample(sample))  # type: ignore[misc]
        if picture is None:
            troubles.append(trouble)
        else:
            loaded[sample.name] = picture
    return loaded, troubles


@st.cache_resource(show_spinner=False)
def sample_clip() -> Picture:
    """A clip made on the spot from two sample photos, labelled as made.

    Raises:
        MediaError: a photo is missing or damaged.
    """
    samples = {sample.name: sample for sample in SAMPLES}
    scene, thing = (load_sample(samples[name]) for name in MADE_OF)
    clip = a2core.made_clip(scene.clip.frames[0], thing.clip.frames[0], frames=FRAMES, name="made clip")
    middle = clip.frames[len(clip.frames) // 2]
    return picture_of(
        clip,
        id=MADE,
        title="Made clip",
        alt="A made clip: the face of a cat, cut out round, crosses a cup of coffee while the camera moves",
        credit=sentence("{scene}. {thing}", scene=scene.credit, thing=thing.credit),
        thumbnail=data_url(middle, quality=80, max_side_px=THUMBNAIL_PX),
        public=True,
    )
