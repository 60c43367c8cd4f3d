"""The words that belong to a table in every format: its heading, the notes and footnotes below it (report floor)."""

from __future__ import annotations

from collections import Counter

from senet_repro.config.data_sets import data_title
from senet_repro.config.identity import CODE_VERSION
from senet_repro.config.paper_tables import label_table
from senet_repro.core.wording import choose_form, join_words
from senet_repro.report.claims.claim_pairs import list_confounds
from senet_repro.report.claims.confounds import PARTS
from senet_repro.report.claims.judge import judge
from senet_repro.report.claims.words import tally_verdicts
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.numbers import choose_value_spec, format_number
from senet_repro.report.tables.origins import list_reported_seeds
from senet_repro.report.tables.seen_sets import count_pictures, is_whole_set, name_set
from senet_repro.report.tables.standing import Standing
from senet_repro.report.text.origins import list_origin_notes
from senet_repro.results.campaign import PLAN_FILE


def format_heading(table: ResultTable) -> str:
    """Return which table it is, and on which data."""
    return f"{label_table(table.paper)}: {table.paper.title} ({name_data(table)})"


def name_data(table: ResultTable) -> str:
    """Return the name of the data, and whether they stand in for the paper's."""
    name = table.set_name
    if table.standing == Standing.PROXY:
        return f"{name}, {table.standing}"
    return name


def list_networks(table: ResultTable) -> list[str]:
    """Return the names of the networks that have records."""
    # A dict keeps the order of the rows.
    names: dict[str, None] = {}
    for row in table.rows:
        if row.records and row.protocol:
            names[row.protocol["model"]["name"]] = None
    return list(names)


def explain_gap(row: ResultRow) -> str:
    """Return why a row has no figure of ours, in a word or two."""
    if row.failed:
        return "failed"
    if row.is_cited:
        return "cited"
    return "not run"


def format_seed_count(table: ResultTable, row: ResultRow) -> str:
    """Return how many seeds a row has, of how many where another row has more, and how many others reported."""
    count = str(len(row.seeds))
    if len(row.seeds) != len(table.seeds):
        count += f"/{len(table.seeds)}"
    reported = list_reported_seeds(row)
    if len(reported) == len(row.seeds) and reported:
        return f"{count}, reported"
    if reported:
        return f"{count}, {len(reported)} reported"
    return count


def format_distinctions(table: ResultTable) -> str | None:
    """Return a sentence on the differences from other tables of the same heading; None where there are none."""
    if not table.distinctions:
        return None
    distinctions = ", ".join(table.distinctions)
    return f"Unlike the other tables here of its data and network: {distinctions}."


def list_notes(table: ResultTable, with_departures: bool = True) -> list[str]:
    """Return what the numbers are: data, network, epochs, seeds, and how far from the paper's protocol.

    The settings that depart from it are left out where they are listed elsewhere.
    """
    notes: list[str | None] = [f"{_describe_runs(table)} {_explain_numbers(table)}"]
    if len(table.seeds) == 1:
        notes.append("One seed: no interval, and no difference here is evidence.")
    notes.append(format_distinctions(table))
    if with_departures and table.departures:
        departures = ", ".join(table.departures)
        notes.append(f"Not the paper's protocol (the paper's in brackets): {departures}.")
    # Notes come from the configuration as recorded: the present one may be another.
    config = table.example.config
    notes.append(_describe_proxy(table))
    notes.append(config["data"].get("note"))
    # Records older than this key lack it.
    notes.append(config["recipe"].get("note"))
    notes.append(table.paper.note)
    notes += _describe_code_versions(table)
    if table.other_files:
        notes.append(
            "Where a seed has records that start from several files of first weights, the one that was finished first "
            f"counts; {_count_records(len(table.other_files))} left out."
        )
    notes += _describe_skipped_images(table)
    notes += _describe_unplanned_seeds(table)
    notes += list_origin_notes(table)
    notes.append(_describe_changed_plan(table))
    for row in table.rows:
        notes += [f"{row.name} failed: {reason}" for reason in row.failed.values()]
    return [note for note in notes if note]


def list_footnotes(table: ResultTable) -> list[str]:
    """Return the notes, what else differs between compared rows, and how many claims our records bear out."""
    footnotes = list_notes(table)
    confounds = list_confounds(table)
    if confounds:
        differing = "; ".join(confounds)
        footnotes.append(
            f"Rows that a claim compares differ, or may differ, in more than the axes: {differing}."
        )
    counts = Counter(judged.verdict for judged in judge(table))
    if counts:
        whose = "Claims"
        if table.paper.section:
            whose = "The paper's claims"
        footnotes.append(f"{whose} about it: {tally_verdicts(counts)}.")
    return footnotes


def _describe_runs(table: ResultTable) -> str:
    data = f"{name_set(table.example)} ({count_pictures(table.example)})"
    networks = list_networks(table)
    noun = choose_form(len(networks), "network", "networks")
    network = f"{noun} {', '.join(networks)}"
    lengths = set()
    for row in table.rows:
        lengths |= {record.epochs for record in row.records}
    noun = choose_form(max(lengths), "epoch", "epochs")
    epochs = f"{join_words(sorted(lengths), 'or')} {noun}"
    numbers = [str(seed) for seed in table.seeds]
    noun = choose_form(len(numbers), "seed", "seeds")
    seeds = f"{noun} {', '.join(numbers)}"
    return f"Data {data}, {network}, {epochs}, {seeds}."


def _explain_numbers(table: ResultTable) -> str:
    baseline = table.paper.baseline or "the network without SE"
    return (
        f"{_name_figures(table)} are the last epoch's; ± is half a 95 % Student-t interval over n seeds; "
        f"Δ is the difference to {baseline}, ours paired by seed{_explain_difference_interval(table)}."
    )


def _explain_difference_interval(table: ResultTable) -> str:
    """Return what the ± of differences goes over beside the seeds, where it does."""
    images = set()
    for row in table.rows:
        images |= {difference.images for difference in row.differences.values()}
    if images in (set(), {None}):
        return ""
    whole = ", its ± over seeds and evaluation images"
    if None not in images:
        return whole
    return f"{whole} where every run kept its outcomes"


def _name_figures(table: ResultTable) -> str:
    """Return a noun for the figures of all metrics of a table, such as `Errors`."""
    # Metrics of several kinds have no noun in common.
    nouns = {metric.noun for metric in table.metrics}
    noun = ""
    if len(nouns) == 1:
        noun = nouns.pop()
    if not noun:
        return "Figures"
    return f"{noun.capitalize()}s"


def _describe_proxy(table: ResultTable) -> str | None:
    if table.stands_for is None:
        return None
    data = table.example.config["data"]
    if not is_whole_set(table.example):
        pictures = count_pictures(table.example)
        return f"A proxy: {table.set_name} ({pictures}) instead of {data_title(table.stands_for)}."
    # The first records have the paper's data in the description of their own.
    ours = (data["proxy"] or data["name"]).removesuffix(" instead of ImageNet")
    return f"A proxy: {ours} instead of {data_title(table.stands_for)}."


def _describe_code_versions(table: ResultTable) -> list[str]:
    """Return notes on records of several code versions, in this table or beside it."""
    notes = []
    # The version that the table counts its records as, which with --allow-mixed is not that of each.
    own = {row.protocol["code_version"] for row in table.rows if row.protocol}
    for version in sorted(own - {CODE_VERSION}):
        notes.append(
            f"These are records of code version {version}. The present one is {CODE_VERSION}: it computes some runs "
            "otherwise (CHANGELOG.md), and would train these runs anew."
        )
    if set(table.code_versions) != own or table.superseded:
        counts = [
            f"{_count_records(n)} of version {version}"
            for version, n in table.code_versions.items()
        ]
        notes.append(
            f"Code versions were not told apart (--allow-mixed; the present one is {CODE_VERSION}): "
            f"{', '.join(counts)}."
        )
    if table.superseded:
        left_out = _count_records(len(table.superseded))
        notes.append(
            f"Where a seed has records of several code versions the newest counts; {left_out} left out."
        )
    if table.other_code_versions:
        versions = join_words(table.other_code_versions, "and")
        notes.append(
            f"Records of code version {versions} make a table of their own; --allow-mixed puts them into one."
        )
    return notes


def _describe_skipped_images(table: ResultTable) -> list[str]:
    """Return a note for each row whose networks were trained or evaluated without some of the images."""
    notes = []
    for row in table.rows:
        for part, verb in PARTS.items():
            lengths = {len(record.skipped.get(part, ())) for record in row.records}
            counts = [f"{count:,}" for count in sorted(lengths) if count]
            if counts:
                noun = choose_form(max(lengths), "image", "images")
                images = f"{join_words(counts, 'or')} unreadable {noun}"
                notes.append(f"{row.name}: {verb} without {images} (data.skip_corrupt).")
    return notes


def _describe_changed_plan(table: ResultTable) -> str | None:
    """Return that the campaign's plan is not the one that the table's runs were trained under; None where it is."""
    if table.plan is None or table.campaign is None or table.plan["id"] != PLAN_FILE:
        return None
    if table.plan["sha256"] == table.campaign.sha256:
        return None
    return f"{PLAN_FILE} was changed after runs of it were trained."


def _describe_unplanned_seeds(table: ResultTable) -> list[str]:
    """Return a note on each row with seeds beyond the plan: their figures are shown and do not count."""
    metric = table.metrics[0]
    notes = []
    for row in table.rows:
        figures = []
        for record in sorted(row.unplanned, key=lambda record: record.seed):
            value = format_number(record.metrics.get(metric.name), choose_value_spec(metric))
            figures.append(f"seed {record.seed}: {value}")
        if figures:
            notes.append(
                f"{row.name} has runs beyond the plan, which do not count ({metric.heading}): {', '.join(figures)}."
            )
    return notes


def _count_records(n: int) -> str:
    return f"{n:,} {choose_form(n, 'record', 'records')}"
