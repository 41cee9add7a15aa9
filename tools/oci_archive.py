"""An image as one file: an OCI archive that `docker load` of any age reads too, the same bytes for the same image."""

import hashlib
import io
import json
import os
import tarfile
from dataclasses import dataclass

from crmn_legacy.errors import UserError

# A manifest is some hundred bytes a layer.
_MOST_JSON = 4 * 2**20


@dataclass(frozen=True)
class Digests:
    """What an image is known by.

    Attributes
    ----------
    config : str
        Digest of its configuration, which names its files' digest before compression: an engine's "image ID".
    manifest : str
        Digest of its manifest, which names the compressed layers: what a registry knows it by.
    layers : list of str
        Digests of the layers before compression, the base first.
    """

    config: str
    manifest: str
    layers: list


def digests(path):
    """The :class:`Digests` of the image in the OCI archive `path`.

    Raises
    ------
    UserError
        It is no OCI archive of one image, or one of its blobs is not what its name says.
    """
    with _opened(path) as archive:
        try:
            digest, manifest = _manifest(archive, path)
            config = manifest["config"]["digest"]
            for named in (digest, config, *(layer["digest"] for layer in manifest["layers"])):
                _check(archive, named, path)
            return Digests(config, digest, _json(archive, _blob(config), path)["rootfs"]["diff_ids"])
        except (AttributeError, KeyError, TypeError):
            raise UserError(f"got '{path}' without what an OCI archive must say, expected one: build it anew") from None


def pack(source, out, name, epoch):
    """Write the image in the OCI archive `source` to `out`, its members in order, at one time, under one owner.

    Parameters
    ----------
    source, out : Path
        `out` comes about at once or not at all.
    name : str
        What `docker load` and `podman load` shall call it: ``name:tag``.
    epoch : int
        The time of the members, in seconds since 1970.

    Raises
    ------
    UserError
        As :func:`digests` does.
    """
    digests(source)
    part = out.with_name(f".{out.name}.part")
    with _opened(source) as archive, tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as packed:
        digest, manifest = _manifest(archive, source)
        annotations = {
            "io.containerd.image.name": f"docker.io/library/{name}",
            "org.opencontainers.image.ref.name": name.partition(":")[2],
        }
        descriptor = {
            "mediaType": manifest.get("mediaType", "application/vnd.oci.image.manifest.v1+json"),
            "digest": digest,
            "size": archive.getmember(_blob(digest)).size,
            "annotations": annotations,
        }
        blobs = sorted({_blob(item["digest"]) for item in (descriptor, manifest["config"], *manifest["layers"])})
        # What `docker load` looked for before it read OCI archives.
        older = {
            "Config": _blob(manifest["config"]["digest"]),
            "RepoTags": [name],
            "Layers": [_blob(layer["digest"]) for layer in manifest["layers"]],
        }
        for path, content in (
            ("oci-layout", {"imageLayoutVersion": "1.0.0"}),
            ("index.json", {"schemaVersion": 2, "manifests": [descriptor]}),
            ("manifest.json", [older]),
        ):
            content = json.dumps(content, separators=(",", ":")).encode()
            packed.addfile(_member(path, len(content), epoch), io.BytesIO(content))
        for blob in blobs:
            packed.addfile(_member(blob, archive.getmember(blob).size, epoch), archive.extractfile(blob))
    with open(part, "rb") as written:
        os.fsync(written.fileno())
    os.replace(part, out)


def _opened(path):
    try:
        return tarfile.open(path, "r:")
    except (OSError, tarfile.TarError):
        raise UserError(f"got '{path}', expected an OCI archive: build it with `make image`") from None


def _blob(digest):
    algorithm, _, value = digest.partition(":")
    if algorithm != "sha256" or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise UserError(f"the image names a blob {digest!r}, expected sha256: and 64 hexadecimal digits")
    return f"blobs/sha256/{value}"


def _json(archive, member, path):
    try:
        found = archive.getmember(member)
        if found.size > _MOST_JSON:
            raise ValueError
        return json.loads(archive.extractfile(found).read())
    except (KeyError, ValueError, AttributeError, tarfile.TarError):
        raise UserError(f"got '{path}' without a '{member}' in JSON, expected an OCI archive: build it anew") from None


def _manifest(archive, path):
    """Digest and content of the only image's manifest."""
    found = _json(archive, "index.json", path)["manifests"]
    if len(found) != 1:
        raise UserError(f"got '{path}' with {len(found)} images, expected one")
    digest = found[0]["digest"]
    return digest, _json(archive, _blob(digest), path)


def _check(archive, digest, path):
    try:
        with archive.extractfile(_blob(digest)) as blob:
            held = hashlib.file_digest(blob, "sha256").hexdigest()
    except (KeyError, tarfile.TarError):
        held = None
    if digest != f"sha256:{held}":
        raise UserError(f"got '{path}', whose blob {digest} is missing or not what its digest says; take a whole copy")


def _member(name, size, epoch):
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, epoch, 0o644
    return member
