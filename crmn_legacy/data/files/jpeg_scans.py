"""How many passes over its pixels a JPEG has, counted from its markers (ITU-T T.81, annex B) before it is decoded."""

import re

from crmn_legacy.errors import UserError

# A marker that says more than that it is there: what stands behind 0xFF is neither 0 (a data byte 0xFF), another 0xFF
# (a fill byte) nor a restart. Between segments decoders pass over what is no marker, as this does.
_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
_END, _SCAN = 0xD9, 0xDA
# A photograph has dozens; walking over many more would take long.
_MOST_SEGMENTS = 100_000


def count_scans(content, path):
    """The scans of the first picture in `content`, up to its end; what stands behind that is not looked at.

    Phones put films, gain maps and notes behind a picture, and thumbnails, which are JPEGs too, into its EXIF data.

    Parameters
    ----------
    content : bytes
    path : path
        What an error calls it.

    Returns
    -------
    int
        0 if `content` is no JPEG.

    Raises
    ------
    UserError
        If there are more segments than any picture has.
    """
    if not content.startswith(b"\xff\xd8"):
        return 0
    scans, place = 0, 2
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(content, place)
        if found is None or content[found.end() - 1] == _END:
            return scans
        scans += content[found.end() - 1] == _SCAN
        # A length counts its own two bytes; decoders take one that is less for 2.
        place = found.end() + max(2, int.from_bytes(content[found.end() : found.end() + 2], "big"))
    raise UserError(
        f"got picture '{path}', a JPEG of more than {_MOST_SEGMENTS:,} segments; expected fewer: save it anew"
    )
