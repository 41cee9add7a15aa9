"""The 68-point mark-up."""

from crmn_legacy.landmarks import OUTLINES, PARTS


def test_every_point_is_of_one_part_and_on_one_line():
    assert sorted(point for points in PARTS.values() for point in points) == list(range(68))
    assert sorted(point for _, points, _ in OUTLINES for point in points) == list(range(68))


def test_a_line_is_of_the_part_that_it_names():
    assert all(set(points) <= set(PARTS[part]) for part, points, _ in OUTLINES)
