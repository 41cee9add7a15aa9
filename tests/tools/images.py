"""A small OCI archive, made by hand, as an engine would write it."""

import hashlib
import io
import json
import tarfile


def blob(content):
    """The digest of some bytes, as OCI writes it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def contents(layer=b"a layer"):
    """path -> content of the members of an archive of one image with one layer."""
    config = json.dumps({"rootfs": {"type": "layers", "diff_ids": [blob(layer)]}}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"digest": blob(config), "size": len(config)},
        "layers": [{"digest": blob(layer), "size": len(layer)}],
    }
    manifest = json.dumps(manifest).encode()
    index = {"schemaVersion": 2, "manifests": [{"digest": blob(manifest), "size": len(manifest)}]}
    blobs = {f"blobs/sha256/{blob(content)[7:]}": content for content in (config, manifest, layer)}
    return {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps(index).encode(), **blobs}


def write(path, members, time=0, order=sorted):
    """Write the archive at `path`."""
    with tarfile.open(path, "w") as archive:
        for name in order(members):
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(members[name]), time
            archive.addfile(member, io.BytesIO(members[name]))
    return path
