"""A local folder that stands for an output directory which is somewhere else."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class StandIn(NamedTuple):
    """A folder of the workspace in the place of an address, such as `s3://bucket/segments`."""

    folder: Path
    address: str

    def said(self, text: str) -> str:
        """The text with the address in place of the folder, which is gone when people read it."""
        return text.replace(str(self.folder), self.address)
