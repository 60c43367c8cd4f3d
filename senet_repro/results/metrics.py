"""Describe what a task measures, so that whatever prints or judges it can iterate (results floor)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A figure that comes out of each epoch of a run, and how it is written.

    Its name in metrics.jsonl, record.json and the paper's YAML is made of key, quantity and unit, such as
    top1_err_pct; so are the columns of CSV and W&B, such as top1_half_width_pct and top1_delta_pct.
    """

    key: str  # top1
    label: str  # in headings and sentences: top-1
    quantity: str = ""  # in names and headings, after the key: err
    noun: str = ""  # in sentences, after the label: error
    unit: str = "pct"  # in names
    unit_sign: str = "%"  # in headings
    difference_unit: str = "points"
    better: Literal["lower", "higher"] = "lower"
    decimals: int = 2
    is_printed: bool = True  # a column of the tables; every metric is recorded
    # Of an error over outcomes: an image is right where its label is among so many likeliest classes; None of others.
    rank: int | None = None

    # Asked for at every figure of every table.
    @cached_property
    def name(self) -> str:
        """The metric's name in records, such as top1_err_pct."""
        # A loss has neither quantity nor unit.
        return "_".join(part for part in (self.key, self.quantity, self.unit) if part)

    @property
    def half_width_name(self) -> str:
        """The name of half the metric's 95 % interval, such as top1_half_width_pct."""
        return f"{self.key}_half_width_{self.unit}"

    @property
    def difference_name(self) -> str:
        """The name of the difference to the baseline row, such as top1_delta_pct."""
        return f"{self.key}_delta_{self.unit}"

    @property
    def difference_half_width_name(self) -> str:
        """The name of half the 95 % interval of that difference, such as top1_delta_half_width_pct."""
        return f"{self.key}_delta_half_width_{self.unit}"

    @property
    def heading(self) -> str:
        """The heading of a column of this metric alone, such as `top-1 err %`."""
        return " ".join(part for part in (self.label, self.quantity, self.unit_sign) if part)

    @property
    def title(self) -> str:
        """The metric in a sentence, such as `top-1 error`."""
        return " ".join(part for part in (self.label, self.noun) if part)

    def describe_value(self, value: float) -> str:
        """Return a value with its label and unit, such as `top-1 err 2.50 %`."""
        parts = (self.label, self.quantity, f"{value:.{self.decimals}f}", self.unit_sign)
        return " ".join(part for part in parts if part)

    def describe_difference(self, value: float) -> str:
        """Return how far two values are apart, with its unit, such as `0.5 points`."""
        unit = self.difference_unit
        if value == 1:
            unit = unit.removesuffix("s")
        return f"{value:.2g} {unit}"


def printed_metrics(metrics: Sequence[Metric]) -> list[Metric]:
    """Return the metrics that tables print, the most important one first."""
    return [metric for metric in metrics if metric.is_printed]


def describe_values(metrics: Sequence[Metric], values: Mapping[str, float]) -> str:
    """Return the values of these metrics in a line, such as `top-1 err 2.50 %  top-5 err 0.00 %`."""
    return "  ".join(metric.describe_value(values[metric.name]) for metric in metrics)
