"""The committed samples are whole, small, and what the renderers make."""

import numpy as np
import pytest

from crmn_legacy import samples
from crmn_legacy.data import FaceAugmentation, FaceBatches, whitening
from crmn_legacy.data.files.faces import read_faces
from crmn_legacy.data.files.labelled_pictures import read_pictures
from crmn_legacy.errors import UserError
from crmn_legacy.metrics import interocular_error
from data_prep import rendered_faces, rendered_shapes


@pytest.fixture(scope="module")
def faces():
    return read_faces(samples.path("rendered_faces.h5"))


def test_sample_of_faces_is_small_and_has_all_splits(faces):
    assert samples.path("rendered_faces.h5").stat().st_size < 4_000_000
    assert [int((faces.split == split).sum()) for split in ("train", "valid", "test")] == [256, 32, 32]
    assert set(faces.source) == {"rendered"}
    assert len(faces) == rendered_faces.COUNT


def test_sample_holds_hidden_points_too(faces):
    assert 0.5 < faces.visible.mean() < 1


@pytest.mark.parametrize("number", [0, 101, 319])
def test_face_of_the_sample_is_what_the_renderer_makes(faces, number):
    crop = rendered_faces.rendered_crop(rendered_faces.SEED, number)
    np.testing.assert_array_equal(faces.images[number], crop.image)
    np.testing.assert_array_equal(faces.keypoints[number], crop.keypoints)
    np.testing.assert_array_equal(faces.visible[number], crop.visible)
    np.testing.assert_array_equal(faces.box[number], crop.box)


@pytest.mark.slow
def test_whole_sample_is_what_the_renderer_makes(tmp_path):
    rendered_faces.main(["--out", str(tmp_path / "faces.h5")])
    assert (tmp_path / "faces.h5").read_bytes() == samples.path("rendered_faces.h5").read_bytes()


def test_faces_of_the_sample_vary_too_much_for_their_mean(faces):
    def plain(split):
        batches = FaceBatches(faces, split, 32, FaceAugmentation(), seed=0)
        return np.concatenate([batch["keypoints"][:count] for batch, count in batches.evaluation()])

    target = plain("test")
    mean = np.broadcast_to(plain("train").mean(axis=0), target.shape)
    assert 0.12 < interocular_error(mean, target).mean() < 0.4


@pytest.fixture(scope="module", params=[10, 100])
def shapes(request):
    return read_pictures(samples.path(f"rendered_shapes{request.param}.h5"))


def test_sample_of_shapes_is_small_and_has_all_splits(shapes):
    classes = len(shapes.classes)
    assert samples.path(f"rendered_shapes{classes}.h5").stat().st_size < 1_200_000
    counts = {10: [420, 70, 70], 100: [600, 100, 100]}[classes]
    assert [int((shapes.split == split).sum()) for split in ("train", "valid", "test")] == counts
    assert shapes.source == "rendered"


def test_every_class_of_shapes_is_as_often_in_each_split(shapes):
    for split in ("train", "valid", "test"):
        counts = np.bincount(shapes.labels[shapes.split == split], minlength=len(shapes.classes))
        assert counts.min() == counts.max() > 0


@pytest.mark.parametrize("number", [0, 101, 559])
def test_shape_of_the_sample_is_what_the_renderer_makes(shapes, number):
    picture = rendered_shapes.rendered_shape(rendered_shapes.SEED, len(shapes.classes), number)
    np.testing.assert_array_equal(shapes.images[number], picture)


def test_whole_sample_of_shapes_is_what_the_renderer_makes(shapes, tmp_path):
    classes = len(shapes.classes)
    rendered_shapes.main(["--out", str(tmp_path / "shapes.h5"), "--classes", str(classes)])
    assert (tmp_path / "shapes.h5").read_bytes() == samples.path(f"rendered_shapes{classes}.h5").read_bytes()


def test_whitening_of_shapes_stands_clear_of_the_last_bits(shapes, monkeypatch):
    """No entry may lie so near to a half that a library's last bits, which vary, could decide how it is rounded."""
    step, rounded = whitening._MATRIX_STEP, whitening._rounded
    monkeypatch.setattr(whitening, "_rounded", lambda values, to: values if to == step else rounded(values, to))
    exact = whitening.whitening_matrix(shapes.images[shapes.split == "train"], shapes.statistics.contrast_mean())
    distance = np.abs(np.abs(exact / step - np.rint(exact / step)) - 0.5) * step
    # Between OpenBLAS's kernels for three processors the entries were seen to differ by 2e-14 at most.
    assert distance.min() > 1e-12


def test_unknown_sample_is_refused():
    with pytest.raises(UserError, match=r"expected one of rendered_faces\.h5"):
        samples.path("faces.h5")


def copied(tmp_path, monkeypatch, content):
    (tmp_path / "SHA256SUMS").write_text(samples._SUMS.read_text())
    if content is not None:
        (tmp_path / "rendered_faces.h5").write_bytes(content)
    monkeypatch.setattr(samples, "_FOLDER", tmp_path)
    monkeypatch.setattr(samples, "_SUMS", tmp_path / "SHA256SUMS")


def test_altered_sample_is_refused(tmp_path, monkeypatch):
    content = bytearray(samples.path("rendered_faces.h5").read_bytes())
    content[len(content) // 2] ^= 1
    copied(tmp_path, monkeypatch, bytes(content))
    with pytest.raises(UserError, match="sha256"):
        samples.path("rendered_faces.h5")


def test_missing_sample_is_refused(tmp_path, monkeypatch):
    copied(tmp_path, monkeypatch, None)
    with pytest.raises(UserError, match="no sample"):
        samples.path("rendered_faces.h5")
