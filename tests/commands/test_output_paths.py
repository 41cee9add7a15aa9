"""A run's folder is no place for what commands write."""

import pytest

from crmn_legacy import archive
from crmn_legacy.commands.output_paths import require_outside
from crmn_legacy.errors import UserError


def test_a_place_in_a_run_is_refused_however_it_is_named(tmp_path, monkeypatch):
    run, other = tmp_path / "run", tmp_path / "other"
    run.mkdir()
    other.mkdir()
    (other / archive.RUN).write_text("{}")
    (tmp_path / "link").symlink_to(run)
    monkeypatch.chdir(run)
    for out in (run / "x", tmp_path / "link" / "x", run / ".." / "run" / "x", "x", other / "x"):
        with pytest.raises(UserError, match="in a run's folder"):
            require_outside(out, [tmp_path / "link"])


def test_a_place_beside_a_run_is_good(tmp_path):
    (tmp_path / "run").mkdir()
    for out in (tmp_path / "x", tmp_path / "new" / "x", tmp_path / "run" / "below" / "x"):
        assert require_outside(out, [tmp_path / "run"]) is None
