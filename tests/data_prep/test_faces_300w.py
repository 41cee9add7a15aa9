"""The 300-W preparation: folders as released in, one faces file out, and bad input refused in one line."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crmn_legacy.data import FaceAugmentation, FaceBatches
from crmn_legacy.data.boxes import crop_face
from crmn_legacy.data.files.faces import read_faces
from crmn_legacy.data.files.photographs import open_picture
from crmn_legacy.metrics import interocular_error
from data_prep import faces_300w
from tests.data.faces import points_text
from tests.data.files.test_faces import png_claiming
from tests.data_prep.program import run_main, run_script

SCRIPT = Path(faces_300w.__file__)


def make_pair(folder, stem, seed, suffix=".jpg", points_suffix=".pts", colour=True):
    """A picture of noise with an ellipse of 68 points."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    shape = (120, 150, 3) if colour else (120, 150)
    Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8)).save(folder / (stem + suffix))
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points = np.column_stack([75 + 30 * np.cos(turn), 60 + 25 * np.sin(turn)]) + random.uniform(-3, 3, size=2)
    (folder / (stem + points_suffix)).write_text(points_text(points))
    return points


@pytest.fixture
def release(tmp_path):
    """All six sets, laid out as released: 12, 9, 9, 2, 2 and 2 pairs."""
    root = tmp_path / "300w"
    for number, (folder, _, _) in enumerate(faces_300w.SETS):
        for pair in range((12, 9, 9, 2, 2, 2)[number]):
            make_pair(root / folder, f"face_{pair:02d}", 100 * number + pair)
    return root


@pytest.fixture
def prepare(capsys):
    """Run the script's main in this process, given its arguments."""
    return lambda *arguments: run_main(capsys, faces_300w.main, *arguments)


def refused(prepare, release, tmp_path):
    """The line with which the script refuses `release`; nothing may be written."""
    before = sorted(tmp_path.iterdir())
    done = prepare("--root", release, "--out", tmp_path / "faces.h5")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "expected" in done.stderr
    assert sorted(tmp_path.iterdir()) == before
    return done.stderr


def test_release_becomes_one_file_from_anywhere(release, tmp_path):
    done = run_script(SCRIPT, "--root", release, "--out", tmp_path / "faces.h5", folder="/")
    assert (done.returncode, done.stderr) == (0, "")
    faces = read_faces(tmp_path / "faces.h5")
    assert {split: int((faces.split == split).sum()) for split in ("train", "valid", "test")} == {
        "train": 27,
        "valid": 3,
        "test": 6,
    }
    assert {source: int((faces.source == source).sum()) for source in ("afw", "helen", "lfpw", "ibug")} == {
        "afw": 12,
        "helen": 11,
        "lfpw": 11,
        "ibug": 2,
    }
    tested = [name.rsplit("/", 1)[0] for name in faces.name[faces.split == "test"]]
    assert tested == ["helen/testset"] * 2 + ["lfpw/testset"] * 2 + ["ibug"] * 2
    assert hashlib.sha256((tmp_path / "faces.h5").read_bytes()).hexdigest() in done.stdout
    assert faces.digest in done.stdout


def test_each_face_is_the_crop_of_its_pair(release, tmp_path):
    points = make_pair(release / "ibug", "face_00", seed=5)
    faces_300w.main(["--root", str(release), "--out", str(tmp_path / "faces.h5")])
    faces = read_faces(tmp_path / "faces.h5")
    row = faces.name.tolist().index("ibug/face_00")
    crop = crop_face(open_picture(release / "ibug" / "face_00.jpg"), points)
    np.testing.assert_array_equal(faces.images[row], crop.image)
    np.testing.assert_array_equal(faces.keypoints[row], crop.keypoints)
    np.testing.assert_array_equal(faces.visible[row], crop.visible)
    np.testing.assert_array_equal(faces.box[row], crop.box)


def test_same_release_gives_the_same_bytes_whatever_the_number_of_processes(release, tmp_path, monkeypatch):
    faces_300w.main(["--root", str(release), "--out", str(tmp_path / "one.h5")])
    monkeypatch.setattr(faces_300w, "_WORTH_PROCESSES", 1)
    monkeypatch.setattr(faces_300w, "usable_cores", lambda: 2)
    faces_300w.main(["--root", str(release), "--out", str(tmp_path / "two.h5")])
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_validation_part_depends_on_names_not_on_pixels(release, tmp_path):
    faces_300w.main(["--root", str(release), "--out", str(tmp_path / "one.h5")])
    make_pair(release / "afw", "face_03", seed=999)
    faces_300w.main(["--root", str(release), "--out", str(tmp_path / "two.h5")])
    one, two = read_faces(tmp_path / "one.h5"), read_faces(tmp_path / "two.h5")
    np.testing.assert_array_equal(one.split, two.split)
    assert one.digest != two.digest
    assert one.sources_digest != two.sources_digest


@pytest.mark.parametrize(("train", "valid"), [(3148, 314), (19, 1), (9, 0)])
def test_last_tenth_of_the_shuffled_training_pictures_is_for_validation(train, valid):
    names = [f"afw/{number:04d}" for number in range(train)] + ["ibug/0"]
    splits = faces_300w.divide(["train"] * train + ["test"], names)
    assert ((splits == "valid").sum(), (splits == "train").sum(), splits[-1]) == (valid, train - valid, "test")


def test_missing_sets_are_reported_and_left_out(prepare, release, tmp_path):
    shutil.rmtree(release / "lfpw")
    shutil.rmtree(release / "ibug")
    (release / "ibug").mkdir()
    done = prepare("--root", release, "--out", tmp_path / "faces.h5")
    assert done.returncode == 0
    table = {line.split()[0]: line for line in done.stdout.splitlines() if "/" in line or "ibug" in line}
    for missing in ("lfpw/trainset", "lfpw/testset", "ibug"):
        assert "no data: left out" in table[missing]
    assert "no data" not in table["helen/testset"]
    assert "lfpw" not in read_faces(tmp_path / "faces.h5").source


def test_png_gray_and_capital_suffixes_are_read(tmp_path):
    root = tmp_path / "300w"
    make_pair(root / "afw", "a", 0, suffix=".png")
    make_pair(root / "afw", "b", 1, suffix=".JPG", points_suffix=".PTS")
    make_pair(root / "afw", "c", 2, colour=False)
    make_pair(root / "afw", "d", 3)
    make_pair(root / "afw", "e", 4, suffix=".jpeg")
    make_pair(root / "afw", "f", 5, suffix=".JPEG", points_suffix=".Pts")
    (root / "afw" / ".d.pts").write_text("left by a file manager")
    (root / "afw" / "notes.txt").write_text("not data")
    faces_300w.main(["--root", str(root), "--out", str(tmp_path / "faces.h5")])
    faces = read_faces(tmp_path / "faces.h5")
    assert faces.name.tolist() == ["afw/a", "afw/b", "afw/c", "afw/d", "afw/e", "afw/f"]


def test_what_is_left_out_of_a_set_is_told_after_the_table(prepare, release, tmp_path):
    (release / "ibug" / "face_00.pts").unlink()
    done = prepare("--root", release, "--out", tmp_path / "faces.h5")
    assert (done.returncode, done.stderr) == (0, "")
    assert "note: ibug holds 1 picture ('face_00.jpg') without points: left out" in done.stdout.splitlines()


def test_face_at_the_picture_s_edge_is_padded_and_flagged(tmp_path):
    root = tmp_path / "300w"
    points = make_pair(root / "afw", "edge", 0)
    shifted = points - (points[:, 0].min() - 2, 0)
    (root / "afw" / "edge.pts").write_text(points_text(shifted))
    faces_300w.main(["--root", str(root), "--out", str(tmp_path / "faces.h5")])
    faces = read_faces(tmp_path / "faces.h5")
    assert faces.box[0, 0] < 0
    np.testing.assert_array_equal(faces.visible[0], shifted[:, 0] >= 10)
    assert not faces.images[0][:, :5].any()


FACE = "face_01"


def five_points(folder):
    (folder / f"{FACE}.pts").write_text(points_text([(10, 20)] * 5))


def text_points(folder):
    text = (folder / f"{FACE}.pts").read_text().splitlines()
    text[5] = "left eye"
    (folder / f"{FACE}.pts").write_text("\n".join(text))


def no_braces(folder):
    path = folder / f"{FACE}.pts"
    path.write_text(path.read_text().replace("{", "").replace("}", ""))


def no_picture(folder):
    (folder / f"{FACE}.jpg").unlink()


def unreadable_picture(folder):
    (folder / f"{FACE}.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture")


def cut_picture(folder):
    path = folder / f"{FACE}.jpg"
    path.write_bytes(path.read_bytes()[:2000])


def bomb(folder):
    (folder / f"{FACE}.jpg").write_bytes(png_claiming(60_000, 60_000))


def points_off_the_picture(folder):
    (folder / f"{FACE}.pts").write_text(points_text([(9000 + number, 9000) for number in range(68)]))


def coinciding_points(folder):
    (folder / f"{FACE}.pts").write_text(points_text([(50, 50)] * 68))


def coinciding_eyes(folder):
    lines = (folder / f"{FACE}.pts").read_text().splitlines()
    lines[3 + 36 : 3 + 48] = ["75 55"] * 12
    (folder / f"{FACE}.pts").write_text("\n".join(lines))


def coinciding_centres(folder):
    lines = (folder / f"{FACE}.pts").read_text().splitlines()
    for point, x in ((36, 60), (39, 90), (42, 70), (45, 80.001)):
        lines[3 + point] = f"{x} 55"
    (folder / f"{FACE}.pts").write_text("\n".join(lines))


@pytest.mark.parametrize("name", ["\udcff", "a\x1b[2Jb", "a\nb"])
def test_a_name_that_is_no_text_is_refused_and_told_in_escapes(prepare, release, tmp_path, name):
    make_pair(release / "ibug", name, 0)
    said = refused(prepare, release, tmp_path)
    assert "do not print" in said and said[:-1].isprintable()


def test_the_longest_name_is_written_and_read_again(release, tmp_path):
    make_pair(release / "helen" / "trainset", "n" * 251, 0)
    faces_300w.main(["--root", str(release), "--out", str(tmp_path / "faces.h5")])
    assert f"helen/trainset/{'n' * 251}" in read_faces(tmp_path / "faces.h5").name


@pytest.mark.parametrize(
    "spoil",
    [
        five_points,
        text_points,
        no_braces,
        no_picture,
        unreadable_picture,
        cut_picture,
        bomb,
        points_off_the_picture,
        coinciding_points,
        coinciding_eyes,
        coinciding_centres,
    ],
)
def test_bad_pair_is_named_and_nothing_is_written(prepare, release, tmp_path, spoil):
    spoil(release / "lfpw" / "testset")
    assert FACE in refused(prepare, release, tmp_path)


def test_bad_pair_in_another_process_is_named_too(release, tmp_path, monkeypatch):
    five_points(release / "ibug")
    monkeypatch.setattr(faces_300w, "_WORTH_PROCESSES", 1)
    monkeypatch.setattr(faces_300w, "usable_cores", lambda: 2)
    with pytest.raises(faces_300w.UserError, match=FACE):
        faces_300w.main(["--root", str(release), "--out", str(tmp_path / "faces.h5")])
    assert not (tmp_path / "faces.h5").exists()


def test_root_without_any_set_is_refused(prepare, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "no .pts file" in refused(prepare, tmp_path / "empty", tmp_path)


def test_root_whose_sets_are_called_otherwise_is_refused_with_a_hint(prepare, tmp_path):
    make_pair(tmp_path / "300w" / "IBUG", "a", 0)
    assert "expected it as ibug/: rename it" in refused(prepare, tmp_path / "300w", tmp_path)


@pytest.mark.parametrize("stem", ["a b", "-a", "100%s", "[1]", "{0}", "a'b", "é", "~", "a.b.c", "$HOME", "#1"])
def test_odd_but_legal_names_and_roots_are_read(prepare, tmp_path, stem):
    make_pair(tmp_path / stem / "afw", stem, 0)
    (tmp_path / "link").symlink_to(tmp_path / stem)
    files = []
    for number, root in enumerate(
        [tmp_path / stem, tmp_path / "link", f"{tmp_path / stem}/", f"{tmp_path}/./{stem}/afw/.."]
    ):
        done = prepare(f"--root={root}", f"--out={tmp_path / f'{stem}{number}.h5'}")
        assert (done.returncode, done.stderr) == (0, "")
        files.append((tmp_path / f"{stem}{number}.h5").read_bytes())
    assert read_faces(tmp_path / f"{stem}0.h5").name.tolist() == [f"afw/{stem}"]
    assert len(set(files)) == 1


def test_missing_root_is_refused(prepare, tmp_path):
    assert "no folder" in refused(prepare, tmp_path / "none", tmp_path)


def test_existing_out_is_refused_and_kept(prepare, release, tmp_path):
    (tmp_path / "faces.h5").write_text("mine")
    assert "exists" in refused(prepare, release, tmp_path)
    assert (tmp_path / "faces.h5").read_text() == "mine"


def test_out_in_a_missing_folder_is_refused_before_any_work(prepare, release, tmp_path):
    done = prepare("--root", release, "--out", tmp_path / "none" / "faces.h5")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "does not exist" in done.stderr


@pytest.mark.parametrize("out", ["/proc/faces.h5", "/sys/faces.h5"])
def test_unwritable_out_is_refused(prepare, release, out):
    if not Path(out).parent.is_dir():
        pytest.skip(f"no {Path(out).parent} here")
    done = prepare("--root", release, "--out", out)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    "arguments",
    [[], ["--root"], ["--ro", "x", "--out", "y"], ["--root", "x", "--out", "y", "--fast"], ["x"]],
)
def test_wrong_options_are_one_line(prepare, arguments):
    done = prepare(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("error: ")


def test_help_is_given(prepare):
    done = prepare("--help")
    assert done.returncode == 0
    assert "--root" in done.stdout


@pytest.fixture(scope="module")
def real_faces(real_data, tmp_path_factory):
    root = real_data / "300w_subset"
    if not root.is_dir():
        pytest.skip("no 300w_subset in the folder that CRMN_LEGACY_DATA names")
    out = tmp_path_factory.mktemp("real") / "faces.h5"
    faces_300w.main(["--root", str(root), "--out", str(out)])
    return read_faces(out)


def test_real_faces_fill_their_crops_as_the_protocol_says(real_faces):
    extent = np.ptp(real_faces.keypoints, axis=1).max(axis=1)
    # The tight box is 1 / 1.7 of the crop, less the rounding of both boxes outwards.
    assert ((extent > 0.52) & (extent <= 1 / 1.7 + 1e-6)).all()
    assert real_faces.images.std(axis=(1, 2)).min() > 5
    counted = int((real_faces.split == "valid").sum()), int((real_faces.split != "test").sum())
    assert counted[0] == counted[1] // 10


def test_mean_face_errs_by_a_quarter_on_the_real_helen_test_set(real_faces):
    def plain(split):
        batches = FaceBatches(real_faces, split, 50, FaceAugmentation(), seed=0)
        return np.concatenate([batch["keypoints"][:count] for batch, count in batches.evaluation()])

    target = plain("test")
    mean = np.broadcast_to(plain("train").mean(axis=0), target.shape)
    assert 100 * interocular_error(mean, target).mean() == pytest.approx(25.0, abs=0.5)
