"""The answer of a table's networks together, in words and as data (report floor)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from senet_repro.core.wording import join_words
from senet_repro.report.claims.pooled import NetworkGain, PooledAnswer, pool_networks
from senet_repro.report.tables.build import ResultTable
from senet_repro.report.tables.numbers import (
    choose_difference_spec,
    format_interval,
    format_p_value,
)


def format_pooled(table: ResultTable) -> str | None:
    """Return what the networks of a table say together; None of a table without such an answer."""
    answer = pool_networks(table)
    return describe_pooled(answer) if answer else None


def describe_pooled(answer: PooledAnswer) -> str:
    """Return what SE gains over all networks of a table together, with its interval, and in how many of them."""
    metric = answer.metric
    count = len(answer.measured)
    gain = format_interval(answer.gain, choose_difference_spec(metric))
    sentences = [
        f"The {count} networks together: with SE the {metric.title} is better by {gain} {metric.difference_unit} "
        f"({format_p_value(answer.p_value)}). That is the mean of the networks' own gains, and ± comes from how far "
        "these differ: it speaks of networks like them, and counts as no claim of its own.",
        f"{answer.better} of {count} networks are better with SE (sign test, {format_p_value(answer.p_sign)}).",
    ]
    if answer.published is not None:
        published = f"{answer.published:{choose_difference_spec(metric)}}"
        sentences.append(f"The paper's mean over the same networks is {published}.")
    if answer.missing:
        sentences.append(f"Not among them, for want of runs: {join_words(answer.missing, 'and')}.")
    return " ".join(sentences)


def collect_pooled(table: ResultTable) -> dict[str, Any] | None:
    """Return the same as data: the gain of each network and of all, in points; with SE it is better above 0."""
    answer = pool_networks(table)
    if answer is None:
        return None
    return {
        "figure": answer.metric.name,
        "networks": [_collect_network(network) for network in answer.networks],
        "gain": asdict(answer.gain),
        "p_value": answer.p_value,
        "better": answer.better,
        "p_sign": answer.p_sign,
        "published_gain": answer.published,
    }


def _collect_network(network: NetworkGain) -> dict[str, Any]:
    return {
        "row": network.row,
        "gain": asdict(network.gain) if network.gain else None,
        "published_gain": network.published,
    }
