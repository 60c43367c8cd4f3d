"""Copy the epochs of a run as metrics.csv beside metrics.jsonl, for spreadsheets (mirrors floor)."""

from __future__ import annotations

import csv
import io
from typing import Any

from senet_repro.core.files import write_text
from senet_repro.mirrors.base import Mirror, register_mirror
from senet_repro.results.epochs import read_epochs
from senet_repro.results.run_folder import RunFolder


@register_mirror("csv")
class CsvMirror(Mirror):
    """Keep metrics.csv, a line for each epoch."""

    def copy_epoch(self, metrics: dict[str, Any]) -> None:
        """Write all epochs so far, so that a resumed run has each of them once."""
        text = io.StringIO()
        writer = csv.DictWriter(text, metrics.keys())
        writer.writeheader()
        writer.writerows(read_epochs(self.folder))
        write_text(RunFolder(self.folder).epochs_csv_file, text.getvalue())
