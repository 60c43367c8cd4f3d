"""The metrics of detection: average precision as COCO defines it (tasks floor; no torch)."""

from __future__ import annotations

from senet_repro.results.metrics import Metric

# The most important metric first: tables, verdicts and the choice of the best epoch begin with it.
METRICS = (
    Metric(key="ap", label="AP", better="higher", decimals=1),
    Metric(key="ap50", label="AP50", better="higher", decimals=1),
    Metric(key="ap75", label="AP75", better="higher", decimals=1, is_printed=False),
    Metric(key="ap_small", label="AP small", better="higher", decimals=1, is_printed=False),
    Metric(key="ap_medium", label="AP medium", better="higher", decimals=1, is_printed=False),
    Metric(key="ap_large", label="AP large", better="higher", decimals=1, is_printed=False),
)
"""AP over IoU 0.5 to 0.95 in steps of 0.05, at 0.5 and at 0.75; of objects below 32x32 px, below 96x96 px and above."""

SIZE_METRICS = METRICS[3:]
"""The metrics of small, medium and large objects."""
