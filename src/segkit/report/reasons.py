"""Why customers who matched are not written, as people read it."""

from __future__ import annotations

LEFT_OUT = {
    "consent": "no consent",
    "suppressed": "suppressed",
    "frequency_cap": "frequency cap",
    "claimed": "claimed before",
    "sample": "not in the sample",
    "limit": "over the limit",
    "holdout": "held out",
}
"""Reason why customers who matched are not written -> how tables call them."""
