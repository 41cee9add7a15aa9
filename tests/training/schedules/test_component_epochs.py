import pytest

from crmn_legacy.training import SpanSchedule


def test_a_span_ends_with_its_last_epoch():
    schedule = SpanSchedule(rate=0.5, spans=(("rcn", 3), ("denoiser", 1)))
    found = [schedule.rates(schedule.start(), epoch) for epoch in (1, 2, 3, 4)]
    assert [rates["denoiser"] for rates in found] == [0.5, 0, 0, 0]
    assert [rates["rcn"] for rates in found] == [0.5, 0.5, 0.5, 0]
    assert schedule.components == ("rcn", "denoiser")
    both = ("rcn", "denoiser")
    assert [schedule.trained(epoch) for epoch in (1, 2, 3, 4)] == [both, ("rcn",), ("rcn",), both]
    assert schedule.describe() == {"name": "spans", "rate": 0.5, "spans": (("rcn", 3), ("denoiser", 1))}
    with pytest.raises(ValueError, match="last epochs of at least 1"):
        SpanSchedule(spans=(("rcn", 0),))
