"""What read_media promises about clips: the frames asked for, at their true times, or a MediaError."""

from __future__ import annotations

import io
import os
import struct
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from a2core.errors import MediaError
from a2core.media import Clip, outline, read_media, video
from a2core.media.clip_decoder import ClipDecoder
from a2core.media.timeline import pick
from tests.a2core.media.media_files import (
    QUARTER,
    RED,
    check_read_or_refused,
    counter_clip,
    counter_frame,
    counter_of,
    edited_mp4,
    encoded_clip,
    four_corners,
    jpeg_packets,
    matroska,
    mp4_with_times,
    noise,
    packets_of,
    png,
    saved,
    turned_mp4,
)
from tests.a2core.media.test_media import assert_colours, corners, fault

KINDS = {"mp4": "mp4v", "mov": "mp4v", "webm": "VP80", "mkv": "VP80", "avi": "MJPG"}
FRAMES = 150
# Codecs that only PyAV writes here, each with frames that others are made from and frames that are not.
MODERN = {
    "h264.mp4": ("libx264", "yuv420p", {"g": "24", "bf": "3"}),
    "h264.mkv": ("libx264", "yuv420p10le", {"g": "24", "bf": "3"}),
    "hevc.mp4": ("libx265", "yuv420p", {"x265-params": "log-level=none:keyint=24:open-gop=1"}),
    "hevc.mov": ("libx265", "yuv420p10le", {"x265-params": "log-level=none:keyint=500"}),
    "av1.webm": ("libsvtav1", "yuv420p", {"preset": "8", "crf": "10", "g": "48"}),
    "prores.mov": ("prores_ks", "yuv422p10le", {}),
}


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Five seconds of counter frames in every container, and in VP9."""
    folder = tmp_path_factory.mktemp("clips")
    made = {end: counter_clip(folder / f"clip.{end}", code, FRAMES) for end, code in KINDS.items()}
    made["vp9.webm"] = counter_clip(folder / "vp9.webm", "VP90", FRAMES)
    return made


@pytest.fixture(scope="session")
def vp8(clips: dict[str, Path]) -> list[tuple[bool, bytes]]:
    """The packets of FRAMES counter frames in VP8, with a key frame every twelve."""
    packets = packets_of(clips["webm"])
    assert sum(alone for alone, _ in packets) < FRAMES / 10
    return packets


def uneven_times_ms(count: int) -> list[int]:
    """Times at a rate that varies from 100 to 2 frames a second."""
    gaps = np.random.default_rng(3).choice(
        [10, 17, 33, 40, 120, 500], count - 1, p=[0.3, 0.2, 0.2, 0.2, 0.05, 0.05]
    )
    return [0, *np.cumsum(gaps).tolist()]


def numbers(clip: Clip) -> list[int]:
    return [counter_of(frame) for frame in clip.frames]


def assert_frames_are_those_of_their_times(clip: Clip, times_ms: list[float], within_ms: float = 0.6):
    """Each frame carries the number of the frame whose time it was given, and the times rise."""
    true_ms = np.array(times_ms)[numbers(clip)]
    assert np.abs(clip.times_s * 1000 - true_ms).max() <= within_ms
    assert (np.diff(clip.times_s) > 0).all()


class GrabCounter:
    """Counts how many frames the decoder decoded one by one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.grabs = 0
        original = ClipDecoder.step

        def counted(decoder: ClipDecoder) -> bool:
            self.grabs += 1
            return original(decoder)

        monkeypatch.setattr(ClipDecoder, "step", counted)


# ---------------------------------------------------------------------------------------------------
# The frames asked for
# ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*KINDS, "vp9.webm"])
@pytest.mark.parametrize("count", [1, 2, 7, 16, 64])
def test_frames_are_evenly_spread_and_the_ones_that_their_times_say(clips, kind: str, count: int):
    clip = read_media(clips[kind], max_frames=count)
    assert clip.kind == "video"
    assert clip.frames.shape == (count, 64, 128, 3)
    assert clip.notes == ()
    found = numbers(clip)
    even = np.linspace(0, FRAMES - 1, count) if count > 1 else np.array([(FRAMES - 1) / 2])
    assert np.abs(found - even).max() <= 0.55, found
    assert_frames_are_those_of_their_times(clip, [n * 1000 / 30 for n in range(FRAMES)])


@pytest.mark.parametrize("kind", MODERN)
def test_frames_are_exact_in_modern_codecs_though_not_all_before_them_are_decoded(tmp_path: Path, kind: str):
    codec, pixels, options = MODERN[kind]
    steady = [round(n * 1000 / 30) for n in range(FRAMES)]
    for times_ms in (steady, uneven_times_ms(FRAMES)):
        path = encoded_clip(tmp_path / kind, codec, times_ms, pixels=pixels, options=options)
        for count, bounds in ((8, ()), (64, ()), (8, (2.0, 2.9)), (1, (3.0, 3.0))):
            stretch = dict(zip(("start_s", "end_s"), bounds, strict=False))
            clip = read_media(path, max_frames=count, **stretch)
            assert clip.notes == ()
            asked = pick("", np.array(times_ms) / 1000, count, **stretch)
            assert numbers(clip) == asked.tolist()
            assert_frames_are_those_of_their_times(clip, times_ms)


@pytest.mark.usefixtures("large")
def test_frames_of_a_large_file_are_exact_also_where_some_are_not_decoded(tmp_path: Path):
    codec, pixels, options = MODERN["h264.mp4"]
    steady = [round(n * 40) for n in range(FRAMES)]
    path = encoded_clip(tmp_path / "large.mp4", codec, steady, pixels=pixels, options=options)
    clip = read_media(path, max_frames=16)
    assert np.abs(numbers(clip) - np.linspace(0, FRAMES - 1, 16)).max() <= 0.55
    assert_frames_are_those_of_their_times(clip, steady)


@pytest.mark.parametrize("kind", KINDS)
def test_a_short_clip_gives_all_its_frames(tmp_path: Path, kind: str):
    path = counter_clip(tmp_path / f"short.{kind}", KINDS[kind], 9)
    assert numbers(read_media(path, max_frames=16)) == list(range(9))


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_of_one_frame_is_a_video_of_one_frame(tmp_path: Path, kind: str):
    clip = read_media(counter_clip(tmp_path / f"one.{kind}", KINDS[kind], 1))
    assert clip.kind == "video"
    assert numbers(clip) == [0]
    assert clip.times_s.tolist() == [0.0]


def test_the_frames_of_a_clip_are_read_only_and_in_rgb(tmp_path: Path):
    packets = jpeg_packets([four_corners(64, 32)] * 3)
    clip = read_media(matroska(packets, [0, 40, 80], size=(64, 32)), name="corners.mkv")
    assert clip.name == "corners.mkv"
    assert clip.frames.flags.c_contiguous
    assert not clip.frames.flags.writeable
    assert not clip.times_s.flags.writeable
    assert_colours(corners(clip.frames[1])[:1], [RED], 12)


@pytest.mark.parametrize("kind", ["mp4", "webm"])
@pytest.mark.parametrize("count", [5, 16, 64])
def test_a_varying_frame_rate_keeps_its_true_times(clips, vp8, kind: str, count: int):
    times_ms = uneven_times_ms(FRAMES)
    if kind == "mp4":
        data = mp4_with_times(clips["mp4"].read_bytes(), [*np.diff(times_ms).tolist(), 40])
    else:
        data = matroska(vp8, times_ms, codec="V_VP8", duration_ms=times_ms[-1] + 40)
    clip = read_media(data, max_frames=count)
    assert len(clip.frames) == count
    assert_frames_are_those_of_their_times(clip, times_ms)
    assert clip.times_s[0] == 0
    assert clip.times_s[-1] == pytest.approx(times_ms[-1] / 1000, abs=1e-3)
    if count == 5:  # few enough that each is the nearest there is to an even step
        for wanted in np.linspace(0, times_ms[-1], count):
            nearest = np.abs(np.array(times_ms) - wanted).min()
            assert np.abs(clip.times_s * 1000 - wanted).min() == pytest.approx(nearest, abs=1)


def test_no_frame_is_shown_twice_where_even_steps_fall_on_the_same():
    times_ms = [0, 10, 20, 30, 40, 50, 60, 70, 80, 10_000]
    clip = read_media(matroska(jpeg_packets(map(counter_frame, range(10))), times_ms), max_frames=8)
    found = numbers(clip)
    assert len(found) == 8
    assert found == sorted(set(found))
    assert (found[0], found[-1]) == (0, 9)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stretch_of_a_clip_gives_frames_of_that_stretch_only(clips, kind: str):
    clip = read_media(clips[kind], start_s=2.0, end_s=3.0, max_frames=4)
    assert numbers(clip) == [60, 70, 80, 90]
    assert_frames_are_those_of_their_times(clip, [n * 1000 / 30 for n in range(FRAMES)])
    assert numbers(read_media(clips[kind], start_s=4.9)) == [147, 148, 149]
    assert numbers(read_media(clips[kind], end_s=0.07)) == [0, 1, 2]


def test_a_stretch_between_two_frames_shows_the_one_that_stands_there():
    data = matroska(jpeg_packets(map(counter_frame, range(3))), [0, 1000, 2000])
    clip = read_media(data, start_s=1.2, end_s=1.8)
    assert numbers(clip) == [1]
    assert clip.times_s.tolist() == [1.0]


def test_a_stretch_after_the_end_is_refused(clips):
    message = fault(clips["mp4"], start_s=60)
    assert "“clip.mp4”" in message
    assert "4.97 s" in message


@pytest.mark.parametrize(("start_s", "end_s"), [(-1, None), (float("nan"), None), (0, float("inf")), (3, 2)])
def test_a_senseless_stretch_is_refused(clips, start_s, end_s):
    fault(clips["mp4"], start_s=start_s, end_s=end_s)


def test_a_picture_ignores_the_stretch():
    assert len(read_media(saved(four_corners(), "PNG"), start_s=5, end_s=6).frames) == 1


# ---------------------------------------------------------------------------------------------------
# What it costs
# ---------------------------------------------------------------------------------------------------


def test_an_hour_costs_a_few_decoded_frames_more_than_a_minute(vp8, monkeypatch: pytest.MonkeyPatch):
    counter = GrabCounter(monkeypatch)
    groups = [packet for _ in range(720) for packet in vp8]  # each begins with a key frame
    every = 33
    read_media(
        matroska(groups[:1800], range(0, 1800 * every, every), codec="V_VP8", duration_ms=1800 * every)
    )
    minute = counter.grabs
    counter.grabs = 0
    hour = matroska(
        groups, range(0, len(groups) * every, every), codec="V_VP8", duration_ms=len(groups) * every
    )
    clip = read_media(hour)
    assert clip.times_s[-1] > 3500
    assert counter.grabs <= minute + 100
    assert counter.grabs < 16 * 30


def test_a_clip_with_one_key_frame_is_decoded_once_and_no_more(tmp_path: Path, vp8, monkeypatch):
    counter = GrabCounter(monkeypatch)
    alone = [vp8[0]] + [(False, content) for _, content in vp8[1:12]] * 13
    read_media(matroska(alone, range(0, 40 * len(alone), 40), codec="V_VP8", duration_ms=40 * len(alone)))
    assert counter.grabs <= len(alone)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch):
    """Every clip counts as large: its first fifty packets are looked at, then its header is believed."""
    monkeypatch.setattr(video, "_SMALL_BYTES", 0)
    monkeypatch.setattr(video, "_FIRST_PACKETS", 50)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("kind", [*KINDS, "vp9.webm"])
def test_frames_of_a_large_file_are_exact_too(clips, kind: str):
    clip = read_media(clips[kind], max_frames=16)
    assert np.abs(numbers(clip) - np.linspace(0, FRAMES - 1, 16)).max() <= 0.55
    assert_frames_are_those_of_their_times(clip, [n * 1000 / 30 for n in range(FRAMES)])


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("claimed", [0.5, 3, 20])
def test_a_large_file_with_a_lying_header_is_looked_through(vp8, claimed: float):
    times_ms = [40 * n for n in range(FRAMES)]
    data = matroska(vp8, times_ms, codec="V_VP8", duration_ms=claimed * FRAMES * 40)
    clip = read_media(data, max_frames=8)
    if claimed > 1:
        assert numbers(clip)[-1] == FRAMES - 1
    assert_frames_are_those_of_their_times(clip, times_ms)


def test_frames_are_brought_to_1344_pixels_unless_another_size_is_asked_for():
    wide = cv2.resize(four_corners(64, 32), (2000, 1000), interpolation=cv2.INTER_NEAREST)
    data = matroska(jpeg_packets([wide]), [0], size=(2000, 1000))
    clip = read_media(data)
    assert clip.frames.shape == (1, 672, 1344, 3)
    assert clip.notes == ("Reduced from 2000 × 1000 to 1344 × 672 pixels.",)
    assert read_media(data, max_side_px=4000).frames.shape == (1, 1000, 2000, 3)
    small = read_media(data, max_side_px=500)
    assert small.frames.shape == (1, 250, 500, 3)
    assert_colours(corners(small.frames[0])[:1], [RED], 12)


def test_frames_of_more_than_64_megapixels_are_refused(vp8):
    frame = bytearray(vp8[0][1])
    assert frame[6:10] == struct.pack("<HH", 128, 64)
    frame[6:10] = struct.pack("<HH", 9000, 9000)
    data = matroska([(True, bytes(frame))] * 2, [0, 40], size=(9000, 9000), codec="V_VP8")
    assert "64 million" in fault(data, name="giant.mkv")


def test_more_than_2_gb_are_refused_before_the_file_is_read(tmp_path: Path, clips):
    path = tmp_path / "film.mp4"
    path.write_bytes(clips["mp4"].read_bytes()[:1000])
    os.truncate(path, 2_100_000_000)  # sparse: nothing is written
    message = fault(path)
    assert "“film.mp4” has 2.1 GB" in message
    assert "2 GB" in message


@pytest.mark.parametrize("spoilt", [False, True])
def test_bytes_leave_no_temporary_file_behind(clips, tmp_path: Path, monkeypatch, spoilt: bool):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    data = clips["mp4"].read_bytes()
    if spoilt:
        fault(data[: len(data) // 2])
    else:
        read_media(data)

        def interrupted(*args: object, **kwargs: object) -> None:
            assert len(list(tmp_path.iterdir())) == 1
            raise KeyboardInterrupt

        monkeypatch.setattr(video, "read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            read_media(data)
    assert list(tmp_path.iterdir()) == []


def test_progress_is_reported_and_can_stop_the_reading(clips):
    reports: list[tuple[int, int]] = []

    def until_three(done: int, wanted: int) -> bool:
        reports.append((done, wanted))
        return done < 3

    clip = read_media(clips["webm"], progress=until_three)
    assert len(clip.frames) == 3
    assert clip.notes == ("Stopped after 3 of 16 frames.",)
    assert reports[-1] == (3, 16)
    assert len(read_media(clips["webm"], progress=lambda done, wanted: None).frames) == 16  # type: ignore[arg-type]
    whole = read_media(clips["webm"], progress=lambda done, wanted: done < wanted)
    assert whole.notes == ()


def test_stopping_before_the_first_frame_is_an_error_in_words(clips):
    late = read_media(clips["webm"], start_s=4.0, max_frames=2)
    assert len(late.frames) == 2
    data = saved(
        Image.fromarray(noise()), "GIF", save_all=True, append_images=[Image.fromarray(noise(seed=1))] * 3
    )
    assert "stopped" in fault(data, progress=lambda done, wanted: False)


# ---------------------------------------------------------------------------------------------------
# Upright and in shape
# ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("quarters", "matrix"), [(1, QUARTER), (2, (-1, 0, 0, -1)), (3, (0, -1, 1, 0))])
def test_rotation_flags_are_honoured(clips, quarters: int, matrix: tuple[int, int, int, int]):
    clip = read_media(turned_mp4(clips["mp4"].read_bytes(), matrix), max_frames=3)
    stored = np.rot90(clip.frames, quarters, axes=(1, 2))  # back, counter-clockwise
    assert [counter_of(frame) for frame in stored] == numbers(read_media(clips["mp4"], max_frames=3))


def test_a_turned_clip_is_reduced_along_its_long_side(clips):
    clip = read_media(turned_mp4(clips["mp4"].read_bytes(), QUARTER), max_frames=2, max_side_px=64)
    assert clip.frames.shape == (2, 64, 32, 3)
    assert clip.notes == ("Reduced from 64 × 128 to 32 × 64 pixels.",)


def test_frames_of_8k_are_reduced_while_they_are_decoded(tmp_path: Path):
    path = encoded_clip(tmp_path / "8k.mp4", "libx264", [0, 40, 80], side=(7680, 4320))
    clip = read_media(path)
    assert clip.frames.shape == (3, 756, 1344, 3)
    assert clip.notes == ("Reduced from 7680 × 4320 to 1344 × 756 pixels.",)
    small = [cv2.resize(frame, (128, 64), interpolation=cv2.INTER_AREA) for frame in clip.frames]
    assert [counter_of(frame) for frame in small] == [0, 1, 2]


def test_pixels_that_are_not_square_are_made_square():
    data = matroska(jpeg_packets([counter_frame(5)]), [0], shown_size=(256, 64))
    assert read_media(data).frames.shape == (1, 64, 256, 3)


def test_odd_sizes_work():
    odd = noise(33, 17)
    assert read_media(matroska(jpeg_packets([odd]), [0], size=(33, 17))).frames.shape == (1, 17, 33, 3)


def test_a_frame_size_that_changes_midway_is_brought_to_the_first():
    frames = [counter_frame(0), cv2.resize(counter_frame(1), (256, 128)), counter_frame(2)]
    clip = read_media(matroska(jpeg_packets(frames), [0, 40, 80]))
    assert clip.frames.shape == (3, 64, 128, 3)
    assert numbers(clip) == [0, 1, 2]


# ---------------------------------------------------------------------------------------------------
# Headers that lie, and files that end too early
# ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("duration_ms", [None, 100, 6000, 600_000])
@pytest.mark.parametrize(
    ("index", "lengths"), [(True, True), (False, True), (False, False)], ids=["whole", "no index", "streamed"]
)
def test_a_wrong_or_missing_duration_does_no_harm(vp8, duration_ms: int | None, index: bool, lengths: bool):
    """With nothing of all this it is what a browser's camera records."""
    times_ms = uneven_times_ms(FRAMES)
    data = matroska(vp8, times_ms, codec="V_VP8", duration_ms=duration_ms, index=index, lengths=lengths)
    clip = read_media(data)
    assert numbers(clip)[0] == 0
    assert numbers(clip)[-1] == FRAMES - 1
    assert len(clip.frames) == 16
    assert_frames_are_those_of_their_times(clip, times_ms)
    assert len(clip.notes) == (duration_ms == 600_000)


def test_an_mp4_whose_frames_outlast_its_header_gives_what_a_player_would_show(clips):
    def halved(kind: bytes, payload: bytearray) -> None:
        if kind in (b"mdhd", b"mvhd"):
            payload[16:20] = (int.from_bytes(payload[16:20], "big") // 2).to_bytes(4, "big")

    clip = read_media(edited_mp4(clips["mp4"].read_bytes(), halved))
    assert len(clip.frames) == 16
    assert_frames_are_those_of_their_times(clip, [n * 1000 / 30 for n in range(FRAMES)])


@pytest.mark.parametrize("kind", ["mp4", "webm", "avi"])
def test_a_clip_cut_off_anywhere_gives_whole_frames_or_a_refusal(clips, kind: str, tmp_path: Path):
    data = clips[kind].read_bytes()
    if kind == "mp4":
        data = edited_mp4(data, lambda kind, payload: None, index_first=True)
        assert numbers(read_media(data, max_frames=4)) == numbers(read_media(clips["mp4"], max_frames=4))
    given = 0
    for percent in (1, 3, 10, 25, 33, 50, 66, 75, 90, 97):
        path = tmp_path / f"cut.{kind}"
        path.write_bytes(data[: len(data) * percent // 100])
        try:
            clip = read_media(path)
        except MediaError as error:
            refused = str(error)
            assert percent <= 25, refused
            continue
        given += 1
        assert_frames_are_those_of_their_times(clip, [n * 1000 / 30 for n in range(FRAMES)])
        if percent <= 75:
            assert any("Cut off" in note for note in clip.notes), percent
    assert given >= 6


def test_an_mp4_that_lost_its_index_is_called_cut_off(clips):
    data = clips["mp4"].read_bytes()
    message = fault(data[: len(data) // 2], name="upload.mp4")
    assert "“upload.mp4” is cut off" in message
    assert "again" in message


@pytest.mark.parametrize("codec", ["V_XYZ", "V_UNKNOWN/3"])
def test_an_unknown_codec_is_named_with_the_remedy(codec: str):
    message = fault(matroska(jpeg_packets([noise()]), [0], codec=codec), name="odd.mkv")
    assert f"the codec {codec}" in message
    assert "Convert it" in message


def test_an_unknown_codec_is_named_by_its_four_letters(clips):
    assert "the codec IV99" in fault(clips["avi"].read_bytes().replace(b"MJPG", b"IV99"))


def test_a_codec_that_opens_but_decodes_nothing_is_named(clips):
    packets = [(True, b"\x12\0\x0a\x0a\0\0\0\x01\x57\xff\x2b\xa0\x40\x08")] * 3
    message = fault(matroska(packets, [0, 40, 80], codec="V_AV1"), name="av1.mkv")
    assert "the codec V_AV1" in message
    assert "Convert it" in message


def test_a_file_with_sound_only_is_called_so():
    data = matroska([(True, bytes(400))], [0], codec="A_PCM/INT/LIT", track_type=2)
    assert "sound only" in fault(data, name="song.mkv")
    assert "sound only" in fault(b"\0\0\0\x18ftypM4A \0\0\0\0")


def test_a_clip_without_frames_is_refused():
    message = fault(matroska([], [], duration_ms=1000), name="nothing.mkv")
    assert "“nothing.mkv”" in message


def test_a_clip_of_which_only_the_start_can_be_decoded_shows_that_and_says_so(vp8):
    spoilt = [vp8[0], *[(False, b"\xff" * 4)] * 99]
    data = matroska(spoilt, range(0, 4000, 40), codec="V_VP8", duration_ms=4000)
    for count in (1, 16):
        clip = read_media(data, max_frames=count)
        assert numbers(clip)[0] == 0
        assert clip.notes


def test_a_full_disk_is_told_as_one(clips, monkeypatch: pytest.MonkeyPatch):
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    assert "No space left" in fault(clips["mp4"].read_bytes())


def test_a_name_that_is_no_protocol_is_read_as_a_file(clips, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("concat:a|b.webm").write_bytes(clips["webm"].read_bytes())
    assert len(read_media("concat:a|b.webm").frames) == 16


@pytest.mark.parametrize("kind", ["mp4", "webm", "avi", "mkv"])
def test_damaged_clips_raise_nothing_but_media_error(clips, kind: str):
    whole = clips[kind].read_bytes()
    random = np.random.default_rng(5)
    for _ in range(25):
        damaged = bytearray(whole)
        region = 2000 if random.random() < 0.7 else len(whole)
        tail = random.random() < 0.3
        for at in random.integers(0, region, random.integers(1, 20)):
            damaged[-at - 1 if tail else at] = random.integers(0, 256)
        check_read_or_refused(bytes(damaged))


def test_many_threads_read_clips_at_once(clips):
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: numbers(read_media(clips["webm"], max_frames=4)), range(8)))
    assert found == [numbers(read_media(clips["webm"], max_frames=4))] * 8


# ---------------------------------------------------------------------------------------------------
# Animated pictures
# ---------------------------------------------------------------------------------------------------


def animation(format_name: str, durations_ms: list[int], **options) -> bytes:
    frames = [Image.fromarray(counter_frame(number)) for number in range(len(durations_ms))]
    if format_name == "WEBP":
        options |= {"lossless": True, "minimize_size": False}
    return saved(
        frames[0],
        format_name,
        save_all=True,
        append_images=frames[1:],
        duration=durations_ms,
        loop=0,
        **options,
    )


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG"])
def test_an_animated_picture_is_a_clip_with_its_own_times(format_name: str):
    durations = [100, 50, 300, 40, 1000, 60]
    clip = read_media(animation(format_name, durations))
    assert clip.kind == "video"
    assert clip.frames.shape == (6, 64, 128, 3)
    assert numbers(clip) == [0, 1, 2, 3, 4, 5]
    assert clip.times_s == pytest.approx(np.array([0, 0.1, 0.15, 0.45, 0.49, 1.49]))
    assert clip.notes == ()


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG"])
def test_frames_of_an_animation_are_evenly_spread(format_name: str):
    data = animation(format_name, [50] * 40)
    assert numbers(read_media(data, max_frames=4)) == [0, 13, 26, 39]
    assert numbers(read_media(data, max_frames=4, start_s=0.5, end_s=0.65)) == [10, 11, 12, 13]
    assert read_media(data, max_side_px=64).frames.shape == (16, 32, 64, 3)


def test_frames_without_a_duration_last_a_tenth_of_a_second_as_in_browsers():
    assert read_media(animation("GIF", [0, 10, 0, 20])).times_s == pytest.approx([0, 0.1, 0.2, 0.3])


def test_a_picture_of_one_frame_is_no_clip():
    assert read_media(animation("GIF", [100])).kind == "image"


def test_the_stand_in_of_an_animated_png_is_not_part_of_it():
    data = saved(
        Image.fromarray(counter_frame(99)),
        "PNG",
        save_all=True,
        default_image=True,
        append_images=[Image.fromarray(counter_frame(n)) for n in (0, 1, 2)],
        duration=100,
    )
    assert numbers(read_media(data)) == [0, 1, 2]


def test_a_very_long_animation_is_looked_at_in_part_and_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outline, "MAX_ANIMATION_PIXELS", 10 * 128 * 64)
    clip = read_media(animation("GIF", [100] * 30))
    assert numbers(clip) == list(range(10))
    assert clip.notes == ("A very long animation: only its first 10 frames were looked at.",)


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG"])
def test_a_cut_off_animation_gives_the_frames_before_the_cut_or_a_refusal(format_name: str):
    data = animation(format_name, [100] * 8)
    for percent in (5, 20, 40, 60, 80, 95):
        try:
            clip = read_media(data[: len(data) * percent // 100])
        except MediaError as error:
            assert "cut off" in str(error) or "damaged" in str(error)  # noqa: PT017
            continue
        assert numbers(clip) == list(range(len(clip.frames)))
        assert clip.kind == "image" or clip.notes


def test_an_animation_cleared_between_frames_is_laid_on_white():
    frames = [Image.new("RGBA", (16, 16), (0, 0, 0, 0)) for _ in range(3)]
    for number, frame in enumerate(frames):
        frame.paste((200, 30, 40, 255), (4 * number, 0, 4 * number + 4, 16))
    data = saved(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=100, disposal=1)
    clip = read_media(data)
    assert clip.notes == ("Transparent parts were filled with white.",)
    assert clip.frames[2, 8, 9].tolist() == [200, 30, 40]
    assert clip.frames[2, 8, 1].tolist() == [255, 255, 255]


def test_an_apng_out_of_order_is_survived():
    data = png(2, 2, 8, 2, bytes(12), (b"fcTL", bytes(26)), (b"acTL", bytes(8)))
    try:
        read_media(data)
    except MediaError as error:
        assert str(error).startswith("This file ")  # noqa: PT017 - either outcome is right


def test_the_frames_of_clips_and_animations_may_be_kept_smaller_than_pictures(tmp_path):
    film = counter_clip(tmp_path / "film.mp4", "mp4v", 6).read_bytes()
    frames = [Image.fromarray(counter_frame(k)) for k in range(3)]
    gif, png = io.BytesIO(), io.BytesIO()
    frames[0].save(gif, "GIF", save_all=True, append_images=frames[1:])
    frames[0].save(png, "PNG")
    sides = {"max_side_px": 120, "max_moving_side_px": 60}
    found = [read_media(data, **sides).frames.shape for data in (film, gif.getvalue(), png.getvalue())]
    assert [max(shape[1:3]) for shape in found] == [60, 60, 120]
    assert max(read_media(film, max_side_px=120).frames.shape[1:3]) == 120
