"""Photos as people keep them: nested, linked, with what systems leave among them; known by what they show."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torchvision
from PIL import Image
from skimage import data
from torchvision.datasets import ImageFolder

from a2core.cli import main
from a2core.errors import TrainingError
from a2core.training.adapt.cache import Cache
from a2core.training.adapt.kept import ABOUT, _reserve
from a2core.training.adapt.targets import CacheSettings
from a2core.training.evaluate.on_regions import region_pairs
from a2core.training.finetune.run import FineTuning
from a2core.training.finetune.settings import FineTuneSettings, architecture, subject_to_tune
from a2core.training.finetune.study_photos import labelled_photos
from a2core.training.finetune.team import Team
from a2core.training.photos.datasets import DATASETS
from a2core.training.photos.found import check_kept_apart, find_photos, identity_of
from a2core.training.photos.labelled import find_labelled
from a2core.training.photos.read import Skipped, moved, read_photo, square
from tests.a2core.training.photo_folders import make_photos


def picture(path, shade=120):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 12, 3), shade, np.uint8)).save(path)
    return path


@pytest.fixture
def folder(tmp_path):
    """Two classes, photos at several depths."""
    folder = tmp_path / "photos"
    for index, name in enumerate(
        ("cats/1.jpg", "cats/indoors/1.JPG", "dogs/a/b/2.png", "dogs/2.ppm", "dogs/3.bmp")
    ):
        picture(folder / name, 40 * index)
    return folder


def test_classes_and_their_files_are_those_of_torchvisions_image_folder(folder, tmp_path):
    picture(tmp_path / "elsewhere" / "far.jpg")
    (folder / "dogs" / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "foxes").symlink_to(tmp_path / "elsewhere")
    (folder / "cats" / "notes.txt").write_text("no photo")
    expected = ImageFolder(str(folder))
    labelled = find_labelled([str(folder)])
    assert list(labelled.classes) == expected.classes == ["cats", "dogs", "foxes"]
    ours = {str(path): label for path, label in zip(labelled.photos, labelled.labels.tolist(), strict=True)}
    assert ours == dict(expected.samples)
    assert set(map(str, find_photos([str(folder)]))) == set(ours)


def test_what_systems_hide_among_photos_is_no_class_and_no_photo(folder):
    before = find_labelled([str(folder)])
    for name in (
        ".ipynb_checkpoints/1-checkpoint.jpg",
        "__MACOSX/cats/._1.jpg",
        "cats/._1.jpg",
        "cats/.ipynb_checkpoints/1.jpg",
        "dogs/a/@eaDir/2.png",
        "$RECYCLE.BIN/9.jpg",
        ".Trashes/9.jpg",
    ):
        picture(folder / name)
    (folder / "cats" / "Thumbs.db").write_bytes(b"thumbs")
    (folder / "cats" / "folder.jpg").mkdir()
    after = find_labelled([str(folder)])
    assert after.classes == before.classes == ("cats", "dogs")
    assert after.photos == before.photos
    assert find_photos([str(folder)]) == find_photos([str(folder)], limit=5000) == before.photos


def test_a_source_may_itself_lie_in_a_hidden_folder(tmp_path):
    picture(tmp_path / ".cache" / "photos" / "cats" / "1.jpg")
    assert len(find_photos([str(tmp_path / ".cache" / "photos")])) == 1


def test_photos_beside_the_classes_are_counted_and_photos_without_classes_are_refused(folder):
    picture(folder / "loose.jpg")
    labelled = find_labelled([str(folder)])
    assert labelled.classes == ("cats", "dogs")
    assert labelled.left_out == 1
    assert len(find_photos([str(folder)])) == len(labelled.photos) + 1
    with pytest.raises(TrainingError, match="no class's folder"):
        find_labelled([str(folder / "dogs" / "a" / "b")])


def test_links_in_a_circle_end(folder):
    (folder / "cats" / "again").symlink_to(folder / "cats")
    (folder / "cats" / "itself").symlink_to(folder / "cats" / "itself")
    assert len(find_photos([str(folder)])) == 5


def test_the_study_takes_nested_photos_for_their_class_too(folder, tmp_path):
    for part in ("train", "val"):
        (tmp_path / "set" / part).parent.mkdir(exist_ok=True)
        (tmp_path / "set" / part).symlink_to(folder)
    train, _, classes = labelled_photos([str(tmp_path / "set")])
    assert classes == ["set/cats", "set/dogs"]
    assert train.labels.tolist() == [0, 0, 1, 1, 1]


def test_region_pictures_that_macos_puts_beside_others_are_left_out(tmp_path):
    for name in ("1", "._1"):
        picture(tmp_path / f"{name}.jpg")
        np.savez(tmp_path / f"{name}.npz", segmentations=np.zeros((1, 8, 12), np.uint16))
    assert [photo.name for photo, _ in region_pairs(tmp_path, without=set(), limit=None)] == ["1.jpg"]


# ---------------------------------------------------------------- what tells photos apart


def two_alike(tmp_path):
    """Photos of one name and size in two folders, that show different things."""
    one, other = (tmp_path / name / "cats" / "0001.bmp" for name in ("one", "other"))
    picture(one, 20), picture(other, 200)
    assert one.stat().st_size == other.stat().st_size
    os.utime(other, (one.stat().st_atime, one.stat().st_mtime))
    return one, other


def test_photos_are_known_by_what_they_show_not_by_name_size_or_path(tmp_path):
    one, other = two_alike(tmp_path)
    elsewhere = picture(tmp_path / "moved" / "with another name.bmp", 20)
    (tmp_path / "link.bmp").symlink_to(one)
    assert identity_of([one]) != identity_of([other])
    assert identity_of([one]) == identity_of([elsewhere]) == identity_of([tmp_path / "link.bmp"])
    assert identity_of([one, other]) != identity_of([other, one])
    assert identity_of([one, tmp_path / "gone.bmp"]) != identity_of([one])


def test_of_a_large_set_so_many_are_looked_into_all_over_it(tmp_path):
    photos = [picture(tmp_path / f"{index}.bmp", index) for index in range(12)]
    before = identity_of(photos, looked_into=5)
    picture(photos[1], 99)  # of the same size, not looked into
    assert identity_of(photos, looked_into=5) == before
    picture(photos[9], 99)
    assert identity_of(photos, looked_into=5) != before


def test_a_cache_is_not_taken_for_that_of_other_photos_of_the_same_names_and_sizes(tmp_path):
    one, other = two_alike(tmp_path)
    caches = [Cache(tmp_path / "cache", [photo], CacheSettings()).folder for photo in (one, other)]
    assert caches[0] != caches[1]
    one.rename(tmp_path / "renamed.bmp")
    assert Cache(tmp_path / "cache", [tmp_path / "renamed.bmp"], CacheSettings()).folder == caches[0]


def test_a_run_does_not_go_on_with_other_photos_of_the_same_names_and_sizes(tmp_path):
    of = subject_to_tune("resnet18", from_scratch=True)
    described = architecture(of, "double_attention", ("a", "b"), freeze_trunk=False)
    settings = FineTuneSettings(architecture=described, from_scratch=True, size_px=32)
    told = []
    for shade in (20, 200):
        for index, name in enumerate(("a/1.bmp", "a/2.bmp", "b/1.bmp", "b/2.bmp")):
            picture(tmp_path / str(shade) / name, shade + index)
        labelled = find_labelled([str(tmp_path / str(shade))])
        run = FineTuning(labelled, labelled, settings, tmp_path / "run", team=Team.join("cpu"))
        told.append(run.fingerprint())
        if shade == 20:
            run.save()
    differs = {key for key in told[0] if told[0][key] != told[1][key]}
    assert differs == {"photos", "validation photos"}
    with pytest.raises(TrainingError, match=r"other settings \(photos, validation photos\)"):
        run.resume()


def test_what_an_older_version_kept_is_said_and_not_used(tmp_path, monkeypatch, capsys):
    photos = tmp_path / "photos"
    picture(photos / "cats" / "1.jpg")
    old = tmp_path / "cache" / "0123456789abcdef"
    old.mkdir(parents=True)
    (old / "384-done.json").write_text('{"done": 3}')

    def stop(self):
        raise TrainingError("far enough")

    monkeypatch.setattr(Cache, "build", stop)
    command = ["train", str(photos), "--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "run")]
    assert main([*command, "--prediction-steps", "0"]) == 2
    assert "0123456789abcdef of an older version" in capsys.readouterr().out
    cache = Cache(tmp_path / "cache", find_photos([str(photos)]), CacheSettings())
    assert cache.outdated() == [old]
    cache._say_what_it_is()
    (cache.folder / "384-done.json").write_text('{"done": 3}')
    assert cache.outdated() == [old]
    (cache.folder / ABOUT).write_text('{"format": 4}')  # of a later version, if somebody goes back
    assert cache.outdated() == sorted([old, cache.folder])


# ---------------------------------------------------------------- room on the disk


@pytest.mark.parametrize("system", ["this one", "macOS"])
def test_room_is_taken_for_the_whole_array_at_once_on_any_system(tmp_path, monkeypatch, system):
    if system == "macOS":
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    path = tmp_path / "a.npy"
    _reserve(path, (3, 1000, 1000), np.dtype("float16"))
    array = np.load(path, mmap_mode="r+")
    assert array.shape == (3, 1000, 1000)
    assert array.dtype == np.float16
    assert not array.any()
    if hasattr(path.stat(), "st_blocks"):  # not on Windows
        assert path.stat().st_blocks * 512 >= array.nbytes  # not a hole that a full disk could not fill
    assert [file.name for file in tmp_path.iterdir()] == ["a.npy"]


def test_a_full_disk_leaves_nothing_where_room_is_taken_by_writing(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate", raising=False)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        _reserve(tmp_path / "a.npy", (10, 10), np.dtype("float16"))
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- classes


@pytest.fixture
def photos(tmp_path):
    return make_photos(tmp_path)


def test_photos_are_found_in_folders_and_classes_are_their_folders(photos):
    found = find_labelled([str(photos)])
    assert found.photos == find_photos([str(photos)])
    assert found.classes == ("even", "odd")
    assert found.labels.tolist() == [0] * 4 + [1] * 4


def test_one_class_only_no_photos_and_an_unknown_source_are_each_said(photos, tmp_path):
    shutil.rmtree(photos / "odd")
    with pytest.raises(TrainingError, match="two at least"):
        find_labelled([str(photos)])
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match="No photos found"):
        find_photos([str(tmp_path / "empty")])
    with pytest.raises(TrainingError, match="neither a folder nor a dataset"):
        find_photos(["Imagenet-of-dreams"])


# ---------------------------------------------------------------- datasets


def test_datasets_by_name_give_their_photos_and_labels_by_part(tmp_path):
    root = tmp_path / "data"
    for part, ids in (("train", ("n01440764", "n02102040")), ("val", ("n01440764", "n02102040"))):
        for wnid in ids:
            folder = root / "imagenette" / "imagenette2" / part / wnid
            folder.mkdir(parents=True)
            for index in range(2 if part == "train" else 1):
                Image.new("RGB", (8, 8)).save(folder / f"{wnid}_{part}{index}.JPEG", "jpeg")
    labelled = find_labelled(["Imagenette"], root=root)
    assert labelled.classes == ("English springer", "tench")
    assert len(labelled.photos) == 4
    assert {path.parts[-3] for path in find_photos(["Imagenette:val"], root=root)} == {"val"}
    with pytest.raises(TrainingError, match=r"no part 'test'\. Its parts are train, val"):
        find_photos(["Imagenette:test"], root=root)


def test_datasets_whose_labels_are_not_folders_keep_their_own(tmp_path, monkeypatch):
    class Pets:
        classes = ["Abyssinian", "Beagle"]
        _labels = [1, 0]
        _images = [Path("images/beagle_1.jpg"), Path("images/Abyssinian_7.jpg")]

        def __init__(self, root, *, split, download):
            assert (split, download) == ("trainval", True)

    monkeypatch.setattr(torchvision.datasets, "OxfordIIITPet", Pets)
    labelled = find_labelled(["OxfordIIITPet"], root=tmp_path)
    assert [labelled.classes[i] for i in labelled.labels] == ["Beagle", "Abyssinian"]
    assert all(hasattr(torchvision.datasets, name) for name in DATASETS)


# ---------------------------------------------------------------- read and cropped


def test_an_unreadable_photo_is_skipped_counted_and_named(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    skipped = Skipped()
    assert read_photo(tmp_path / "broken.jpg", skipped) is None
    assert "1 unreadable" in skipped.summary()
    assert "broken.jpg" in skipped.summary()


def test_a_square_crop_is_the_same_for_the_same_seed_and_never_empty():
    photo = data.coffee()
    a, b = (square(photo, 96, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert square(np.zeros((1, 1, 3), np.uint8), 96, np.random.default_rng(0)).shape == (96, 96, 3)


def test_labels_move_as_their_photo_does_and_a_clip_ends_elsewhere():
    labels = np.zeros((300, 400), np.uint8)
    labels[80:200, 100:300] = 7
    photo = np.repeat(np.where(labels, 255, 0).astype(np.uint8)[..., None], 3, axis=2)
    for seed in range(4):
        clip = moved(photo, 64, 5, np.random.default_rng(seed))
        regions = moved(labels, 64, 5, np.random.default_rng(seed))
        assert clip.shape == (5, 64, 64, 3)
        assert set(np.unique(regions)) <= {0, 7}
        assert ((clip[..., 0] > 127) == (regions == 7)).mean() > 0.98
        assert (clip[0] != clip[-1]).any()


# ---------------------------------------------------------------- kept apart


def test_what_is_validated_on_may_not_be_trained_on_under_another_name(tmp_path):
    for index in range(8):
        picture(tmp_path / "train" / f"{index}.bmp", index)
    for index in range(6, 10):
        picture(tmp_path / "val" / f"v{index}.bmp", index)
    train, val = (find_photos([str(tmp_path / part)]) for part in ("train", "val"))
    with pytest.raises(TrainingError, match=r"2 of the 4 .*v6\.bmp \(trained on as 6\.bmp\), v7\.bmp"):
        check_kept_apart(train, val)
    check_kept_apart(train[:6], val)


def test_neither_way_of_training_validates_on_what_it_trains_on(tmp_path, capsys):
    for part in ("train", "val"):
        for name in ("cat", "dog"):
            for index in range(3):
                picture(tmp_path / part / name / f"{index}.bmp", 10 * (name == "dog") + index)
    folders = [
        "train",
        str(tmp_path / "train"),
        "--val",
        str(tmp_path / "val"),
        "--out",
        str(tmp_path / "run"),
    ]
    for mode in ([], ["--mode", "fine-tune"]):
        assert main([*folders, *mode]) == 2
        assert "are among those to train on" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
