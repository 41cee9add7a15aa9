"""Copies and mirrored copies are told, within a split and across; what is only similar is not."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from data_prep.face_twins import find_twins
from tests.data.faces import plain_faces

SETS = (("afw", "train", 337), ("ibug", "test", 6))


def drawn(places):
    """Smooth pictures, unlike each other, one a seed."""
    images = [np.random.default_rng(place).integers(0, 256, (8, 8), dtype=np.uint8) for place in places]
    return np.stack([np.asarray(Image.fromarray(image).resize((160, 160), Image.BICUBIC)) for image in images])


def encoded(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))


@pytest.fixture
def faces():
    """Eight for training, two for validation, two for the test."""
    names = np.array([f"{'afw' if place < 10 else 'ibug'}/{place}" for place in range(12)])
    return replace(plain_faces(), images=drawn(range(12)), name=names)


def with_image(faces, place, image):
    images = faces.images.copy()
    images[place] = image
    return replace(faces, images=images)


def test_faces_that_differ_are_not_told(faces):
    assert find_twins(faces, SETS) == []


def test_faces_of_one_colour_are_not_taken_for_twins(faces):
    images = np.full_like(faces.images, 7)
    images += np.arange(12, dtype=np.uint8)[:, None, None]
    assert find_twins(replace(faces, images=images), SETS) == []


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("place", "split"), [(8, "valid"), (11, "test")])
def test_a_twin_in_another_split_is_told_although_encoded_anew(faces, mirrored, place, split):
    twin = encoded(faces.images[3][:, ::-1] if mirrored else faces.images[3])
    assert (twin != faces.images[3]).any()
    [note] = find_twins(with_image(faces, place, twin), SETS)
    assert note.startswith("1 face is ")
    assert f"of one in another split: 'afw/3' (train) and '{faces.name[place]}' ({split}): they" in note


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_copy_in_the_same_split_is_told(faces, mirrored):
    [note] = find_twins(with_image(faces, 5, faces.images[3][:, ::-1] if mirrored else faces.images[3]), SETS)
    assert "another in the same split: 'afw/3' (train) and 'afw/5' (train)" in note


def test_a_mirrored_copy_in_the_same_split_is_told_although_encoded_anew(faces):
    [note] = find_twins(with_image(faces, 5, encoded(faces.images[3][:, ::-1])), SETS)
    assert note.startswith("1 face is a copy") and "'afw/3' (train) and 'afw/5' (train)" in note


@pytest.mark.parametrize("place", [5, 11])
def test_one_picture_under_two_names_is_told_where_the_boxes_are_of_one_face(faces, place):
    pictures = [str(number) for number in range(12)]
    pictures[place] = pictures[3]
    box = faces.box.copy()
    box[place] += 20
    [note] = find_twins(replace(faces, box=box), SETS, pictures)
    assert f"'afw/3' (train) and '{faces.name[place]}'" in note
    box[place] += (100, 0, 100, 0)
    assert find_twins(replace(faces, box=box), SETS, pictures) == []


def test_many_twins_are_one_line_of_few_names(faces):
    images = np.repeat(faces.images[:1], 12, axis=0)
    within, across = find_twins(replace(faces, images=images), SETS)
    assert within.startswith("9 faces") and across.startswith("4 faces")
    assert max(within.count(" and "), across.count(" and ")) <= 3


def renamed(faces, names):
    return replace(faces, name=np.array(names))


def test_mirrored_copies_are_told_by_their_names(faces):
    names = [f"ibug/image_{place // 2:02d}{'_mirror' if place % 2 else ''}" for place in range(12)]
    sets = (("ibug", "test", 6),)
    told = "6 of them are called NAME_mirror, mirrored copies; remove them"
    assert find_twins(renamed(faces, names), sets) == [f"ibug holds 12 pairs, more than the release's 6: {told}"]
    assert find_twins(renamed(faces, names), (("ibug", "test", 135),)) == [f"ibug holds 12 pairs: {told}"]


def test_a_name_that_ends_like_a_mirrored_one_without_the_other_is_a_name(faces):
    assert find_twins(renamed(faces, [f"afw/{place}_mirror" for place in range(12)]), SETS) == []


def test_more_pairs_than_released_are_told_whatever_their_names(faces):
    [note] = find_twins(renamed(faces, [f"ibug/{place}" for place in range(12)]), SETS)
    assert note.startswith("ibug holds 12 pairs, more than the release's 6: ")
