"""One run, or many, as one HTML page that fetches nothing, runs no script and looks the same every time.

Reads folders, never models. `render` is the door. What it shows of a file went through :mod:`.formatting`; the
templates escape every string, and so do the drawings of :mod:`.charts`: no file can write markup.
"""

from crmn_legacy import submodules as _submodules
from crmn_legacy.report.page import MARK, render
from crmn_legacy.report.predictions import read_predictions
from crmn_legacy.report.reading import read_run

__all__ = ["MARK", "read_predictions", "read_run", "render"]

__getattr__, __dir__ = _submodules.attributes(globals())
