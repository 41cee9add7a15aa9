"""An image's file is the same bytes for the same image, readable to old engines and new, and checked."""

import json
import tarfile

import pytest

from crmn_legacy.errors import UserError
from tests.tools import images
from tools import oci_archive

NAME = "crmn_legacy:0.1.0-cpu"


@pytest.fixture
def source(tmp_path):
    return images.write(tmp_path / "source.tar", images.contents())


@pytest.fixture
def packed(source, tmp_path):
    oci_archive.pack(source, tmp_path / "packed.tar", NAME, 1500000000)
    return tmp_path / "packed.tar"


def read(path):
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def test_the_same_image_gives_the_same_bytes_however_it_was_written(packed, tmp_path):
    other = images.write(
        tmp_path / "other.tar", images.contents(), time=7, order=lambda members: sorted(members, reverse=True)
    )
    oci_archive.pack(other, tmp_path / "again.tar", NAME, 1500000000)
    assert (tmp_path / "again.tar").read_bytes() == packed.read_bytes()


def test_the_image_stays_what_it_was(source, packed):
    before, after = oci_archive.digests(source), oci_archive.digests(packed)
    assert before == after
    assert after.layers == [images.blob(b"a layer")]
    assert images.blob(read(packed)[f"blobs/sha256/{after.manifest[7:]}"]) == after.manifest


def test_every_engine_finds_its_index_and_the_name(packed):
    members = read(packed)
    (older,) = json.loads(members["manifest.json"])
    assert older["RepoTags"] == [NAME]
    assert f"sha256:{older['Config'].rpartition('/')[2]}" == oci_archive.digests(packed).config
    assert [members[layer] for layer in older["Layers"]] == [b"a layer"]
    (newer,) = json.loads(members["index.json"])["manifests"]
    assert newer["annotations"] == {
        "io.containerd.image.name": f"docker.io/library/{NAME}",
        "org.opencontainers.image.ref.name": "0.1.0-cpu",
    }
    assert newer["size"] == len(members[f"blobs/sha256/{newer['digest'][7:]}"])


def test_every_flipped_blob_is_found(tmp_path):
    members = images.contents()
    blobs = [name for name in members if name.startswith("blobs/")]
    assert len(blobs) == 3
    for name in blobs:
        flipped = bytes([members[name][0] ^ 1]) + members[name][1:]
        path = images.write(tmp_path / "flipped.tar", {**members, name: flipped})
        with pytest.raises(UserError):
            oci_archive.digests(path)


def test_every_missing_member_is_found(tmp_path):
    members = images.contents()
    for name in set(members) - {"oci-layout"}:
        path = images.write(tmp_path / "cut.tar", {key: value for key, value in members.items() if key != name})
        with pytest.raises(UserError):
            oci_archive.digests(path)


def test_a_digest_is_no_path(tmp_path):
    index = {"manifests": [{"digest": "sha256:../../etc/passwd"}]}
    members = {**images.contents(), "index.json": json.dumps(index).encode()}
    with pytest.raises(UserError, match="expected sha256: and 64 hexadecimal digits"):
        oci_archive.digests(images.write(tmp_path / "path.tar", members))


def test_two_images_are_refused(tmp_path):
    members = images.contents()
    index = json.loads(members["index.json"])
    members["index.json"] = json.dumps({"manifests": index["manifests"] * 2}).encode()
    with pytest.raises(UserError, match="2 images, expected one"):
        oci_archive.digests(images.write(tmp_path / "two.tar", members))


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100])
def test_what_is_no_archive_is_told_in_one_line(tmp_path, content):
    (tmp_path / "no.tar").write_bytes(content)
    with pytest.raises(UserError) as caught:
        oci_archive.digests(tmp_path / "no.tar")
    assert "\n" not in str(caught.value)


def test_an_image_that_cannot_be_packed_leaves_the_former_file(packed, tmp_path):
    before = packed.read_bytes()
    members = images.contents()
    broken = {name: content for name, content in members.items() if content != b"a layer"}
    with pytest.raises(UserError):
        oci_archive.pack(images.write(tmp_path / "broken.tar", broken), packed, NAME, 1500000000)
    assert packed.read_bytes() == before
