"""Studies: many runs of the recipes, trained one after another, and the tables and figures of what came out."""

from crmn_legacy import submodules as _submodules
from crmn_legacy.study.program import main
from crmn_legacy.study.runs import Study, StudyRun

__all__ = ["Study", "StudyRun", "main"]

__getattr__, __dir__ = _submodules.attributes(globals())
