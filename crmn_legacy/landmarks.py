"""The 68-point mark-up of faces: its parts, and the lines by which a face is drawn; points are counted from 0."""

PARTS = {
    "jaw": range(17),
    "brows": range(17, 27),
    "nose": range(27, 36),
    "eyes": range(36, 48),
    "mouth": range(48, 68),
}

OUTLINES = (
    ("jaw", range(17), False),
    ("brows", range(17, 22), False),
    ("brows", range(22, 27), False),
    ("nose", range(27, 31), False),
    ("nose", range(31, 36), False),
    ("eyes", range(36, 42), True),
    ("eyes", range(42, 48), True),
    ("mouth", range(48, 60), True),
    ("mouth", range(60, 68), True),
)
"""The part, its points in the order of a line, and whether the line is closed."""
