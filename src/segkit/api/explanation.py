"""What `Run.explain` gives: the result of `segkit explain`, which shows itself in notebooks."""

from __future__ import annotations

from segkit.report.notebook import explained_html
from segkit.results.explain import ExplainResult


class Explanation(ExplainResult):
    """Why customers are, or are not, in each segment. In a notebook it shows the values that the criteria look at."""

    def _repr_html_(self) -> str:
        return explained_html(self)
