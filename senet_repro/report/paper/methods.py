"""Section 3 of a report, without its computational requirements: networks, pictures, settings, code (report floor)."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Sequence
from typing import Any

from senet_repro.config.data_sets import data_title
from senet_repro.config.paper_tables import label_table
from senet_repro.core.wording import choose_form, count_noun, join_words
from senet_repro.report.page.provenance import (
    PROGRAM,
    describe_selection,
    list_machines,
    write_command,
)
from senet_repro.report.paper.computing import write_computing
from senet_repro.report.paper.document import Block, Commands, Listing, Paragraph, Section, Table
from senet_repro.report.paper.facts import Facts
from senet_repro.report.paper.naming import name_tables, name_variants
from senet_repro.report.paper.references import cite_set
from senet_repro.report.tables.build import ResultRow, ResultTable
from senet_repro.report.tables.numbers import count_seeds_of_rows, format_number, start_sentence
from senet_repro.report.tables.planned_seeds import list_seeds
from senet_repro.report.tables.protocols import name_settings
from senet_repro.report.tables.seen_sets import count_pictures, describe_set
from senet_repro.report.text.markdown import drop_empty_columns
from senet_repro.report.text.notes import list_networks
from senet_repro.results.campaign import PLAN_FILE
from senet_repro.results.campaign_file import CampaignFile
from senet_repro.results.record import Record
from senet_repro.results.reported import name_run_folder

KEY_DIGITS = 16
"""So many digits of a hash tell it from any other here."""

COMMIT_DIGITS = 12

MOST_COMMANDS = 24
"""So many commands are written out; the page has all of them."""

_AUGMENTATION = ("flip", "pad_px", "crop_area", "crop_aspect")
_RECIPE_PARTS = ("task", "precision", "recipe", "init", "detection")
"""The parts of a protocol that say how a network is trained; the others say which one, and on what."""


def write_methods(facts: Facts, references: Sequence[str]) -> Section:
    """Return how the runs were made."""
    blocks = [
        Paragraph(
            "All runs are of senet_repro, an implementation of its own of the paper's networks and recipes; every "
            "figure below is computed from the records that the runs left."
        )
    ]
    subsections = [
        _write_models(facts),
        _write_data(facts, references),
        _write_hyperparameters(facts),
        _write_setup(facts),
        write_computing(facts),
    ]
    return Section("Methodology", blocks, subsections)


def _write_models(facts: Facts) -> Section:
    places: dict[str, list[str]] = {}
    rows: dict[str, ResultRow] = {}
    for own, row in facts.rows:
        key = row.records[0].run_key
        rows.setdefault(key, row)
        place = f"{label_table(own.paper)}: {row.name}"
        if place not in places.setdefault(key, []):
            places[key].append(place)
    cells = [_list_model_cells(row, places[key]) for key, row in rows.items()]
    names = dict.fromkeys(name for table in facts.tables for name in list_networks(table))
    noun = choose_form(len(names), "network", "networks")
    text = (
        f"Trained {choose_form(len(names), 'is', 'are')} the {noun} {join_words(names, 'and')}, with and without SE. "
        "Parameters are the trainable ones, and multiply-adds those of one evaluation image in convolutions, linear "
        "layers and the pooling of SE; both were counted on the networks that were trained."
    )
    head = ("run", "rows", "params M", "paper params M", "GFLOPs", "paper GFLOPs")
    # The paper prints no sizes of some tables' rows.
    shown, *body = drop_empty_columns([head, *cells])
    table = Table(
        caption="The networks, and the rows of the paper that they stand for",
        header=shown,
        rows=body,
        words=2,
        notes=["GFLOPs are multiply-adds of one image in 10^9, as the paper counts them."],
    )
    return Section("Model descriptions", [Paragraph(text), table])


def _list_model_cells(row: ResultRow, places: Sequence[str]) -> Sequence[str]:
    record = row.records[0]
    # Of a small network four digits behind the point are some hundred thousand multiply-adds.
    spec = ".3f" if record.macs >= 1e9 else ".4f"
    return (
        name_run_folder(record),
        "; ".join(places),
        format_number(record.params / 1e6, ".3f"),
        format_number(row.paper.params_m, ".1f"),
        format_number(record.macs / 1e9, spec),
        format_number(row.paper.gflops, ".2f"),
    )


def _write_data(facts: Facts, references: Sequence[str]) -> Section:
    cells: dict[tuple[str, ...], None] = {}
    for record in facts.records:
        cells[_list_set_cells(record, references)] = None
    head = ("set", "pictures", "classes", "training px", "evaluation px", "fingerprint")
    shown, *body = drop_empty_columns([head, *cells])
    note = (
        "A fingerprint is the beginning of a hash of all pictures and their classes, by which a run is known. A set "
        "that comes with the program or is drawn by it has none."
    )
    blocks: list[Block] = [Table("The pictures", shown, body, words=2, notes=[note])]
    for table in facts.tables:
        for paragraph in _describe_stand_in(table):
            if paragraph not in blocks:
                blocks.append(paragraph)
    return Section("Datasets", blocks)


def _list_set_cells(record: Record, references: Sequence[str]) -> tuple[str, ...]:
    data = record.protocol["data"]
    fingerprint = data.get("fingerprint") or ""
    return (
        f"{describe_set(record)}{cite_set(record, references)}",
        count_pictures(record),
        str(data["classes"]),
        str(data["train_px"]),
        str(data["eval_px"]),
        fingerprint[:KEY_DIGITS],
    )


def _describe_stand_in(table: ResultTable) -> list[Paragraph]:
    """Return that a table's pictures are not the paper's, and what its files say of them."""
    if table.stands_for is None:
        return []
    text = f"A proxy: {table.set_name} instead of {data_title(table.stands_for)}, the paper's own."
    note = table.example.config["data"].get("note")
    return [Paragraph(f"{text} {note}" if note else text)]


def _write_hyperparameters(facts: Facts) -> Section:
    blocks: list[Block] = []
    by_recipe: dict[str, dict[str, Any]] = {}
    tables: dict[str, list[ResultTable]] = {}
    networks: dict[str, dict[str, None]] = {}
    for table, row in facts.rows:
        # Seeds of a row are trained alike.
        record = row.records[0]
        settings = _select_recipe(record)
        key = json.dumps(settings, sort_keys=True)
        by_recipe.setdefault(key, settings)
        tables.setdefault(key, []).append(table)
        networks.setdefault(key, {})[str(record.protocol["model"]["name"])] = None
    for key, settings in by_recipe.items():
        rows = [(name, _write_setting(value)) for name, value in settings.items()]
        names = join_words(networks[key], "and")
        caption = f"The settings of {names}: {name_variants(tables[key])}"
        blocks.append(Table(caption, ("setting", "here"), rows, words=2))
    blocks += _write_departures(facts.tables)
    return Section("Hyperparameters", blocks)


def _select_recipe(record: Record) -> dict[str, Any]:
    """Return the settings by which a network was trained, by the names that a reader gives them."""
    protocol = record.protocol
    parts = {part: protocol[part] for part in _RECIPE_PARTS if part in protocol}
    data = {key: protocol["data"].get(key) for key in _AUGMENTATION}
    used = {key: value for key, value in data.items() if value is not None}
    return name_settings({**parts, "data": used})


def _write_setting(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _write_departures(tables: Sequence[ResultTable]) -> list[Block]:
    """Return a table of every deviation from the paper's protocol, once for the tables that share it."""
    grouped: dict[tuple[Any, ...], list[ResultTable]] = {}
    for table in tables:
        grouped.setdefault(tuple(table.changes), []).append(table)
    blocks: list[Block] = []
    for changes, alike in grouped.items():
        names = name_variants(alike)
        if not changes:
            text = f"{start_sentence(names)}: nothing departs from the paper's protocol."
            blocks.append(Paragraph(text))
            continue
        rows = [(change.setting, change.papers, change.ours) for change in changes]
        caption = f"Deviations from the paper's protocol: {names}"
        blocks.append(Table(caption, ("setting", "paper", "here"), rows, words=3))
    return blocks


def _write_setup(facts: Facts) -> Section:
    machines = list_machines(facts.records)
    blocks: list[Block] = [
        Paragraph(f"{_describe_commits(facts.records)} {_describe_precision(facts.records)}"),
        *map(Paragraph, _describe_plans(facts)),
        Paragraph("Machines and libraries of the runs:"),
        Listing(machines),
        *_write_commands(facts),
    ]
    return Section("Experimental setup and code", blocks)


def _describe_commits(records: Sequence[Record]) -> str:
    counts: Counter[str] = Counter()
    for record in records:
        name = (record.commit or "unknown")[:COMMIT_DIGITS]
        if record.dirty:
            name += " with changes that were not committed"
        counts[name] += 1
    commits = [f"{name} ({count_noun(count, 'run')})" for name, count in counts.items()]
    noun = choose_form(len(commits), "commit", "commits")
    return f"The code is that of {noun} {join_words(commits, 'and')}."


def _describe_precision(records: Sequence[Record]) -> str:
    precisions = dict.fromkeys(str(record.trainer["precision"]) for record in records)
    return f"Precision: {join_words(precisions, 'and')}."


def _describe_plans(facts: Facts) -> list[str]:
    """Return when and what was planned: by the campaign, by the sweeps of tables, or by nobody."""
    sentences = []
    campaign = facts.results.campaign
    if campaign is not None:
        seeds = sorted({seed for table in campaign.tables.values() for seed in table.seeds})
        extent = count_noun(len(campaign.tables), "table")
        sentences.append(
            f"The campaign {campaign.name} was planned at {campaign.written_at} with the code of commit "
            f"{(campaign.commit or 'unknown')[:COMMIT_DIGITS]}: {extent}, seeds {list_seeds(seeds)}. Its plan, "
            f"{PLAN_FILE}, has a SHA-256 that begins with {campaign.sha256[:KEY_DIGITS]}; the record of each of its "
            "runs holds it."
        )
    own: dict[str, list[ResultTable]] = {}
    unplanned = []
    for table in facts.tables:
        if table.plan is None:
            unplanned.append(table)
        elif table.plan["id"] != PLAN_FILE:
            sentence = (
                f"planned at {table.plan['written_at']}, seeds {list_seeds(table.plan['seeds'])}"
            )
            own.setdefault(sentence, []).append(table)
    for sentence, tables in own.items():
        sentences.append(f"The sweep of {name_tables(tables)} was {sentence}.")
    if unplanned:
        sentences.append(
            f"Nothing was planned before the runs of {name_tables(unplanned)}: no plan says which seeds there were "
            "to be, so every verdict on them that decides is provisional."
        )
    return sentences


def _write_commands(facts: Facts) -> list[Block]:
    """Return the commands that make the same runs again: of a campaign one, of other records one for each run."""
    if facts.source is not None:
        return _write_campaign_command(facts.source)
    return _write_run_commands([row for _, row in facts.rows])


def _write_campaign_command(source: CampaignFile) -> list[Block]:
    seeds = ",".join(map(str, source.seeds))
    sweep = shlex.join([*source.sweep, f"seed={seeds}"])
    text = "One command trains all that was planned again; where the pictures lie is given as data.root:"
    return [Paragraph(text), Commands([f"{PROGRAM} -m {sweep}"])]


def _write_run_commands(rows: Sequence[ResultRow]) -> list[Block]:
    """Return the first commands of the runs in rows, and what is known of runs that kept none."""
    lines: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for row in rows:
        command = write_command(row.records)
        if command is None:
            unknown[describe_selection(row.records[0])] = None
        else:
            lines |= dict.fromkeys(command.splitlines())
    blocks: list[Block] = []
    if lines:
        shown = list(lines)[:MOST_COMMANDS]
        blocks = [Paragraph("The runs are made again by:"), Commands(shown)]
        if len(lines) > len(shown):
            left = count_noun(len(lines) - len(shown), "further command")
            blocks.append(Paragraph(f"The report as a page lists {left}."))
    if unknown:
        origins = "; ".join(unknown)
        blocks.append(
            Paragraph(
                f"Some records are of a version that did not keep the command; known of them is: {origins}."
            )
        )
    return blocks


def describe_method(facts: Facts) -> str:
    """Return in a few sentences what was trained, on what and how often."""
    networks = dict.fromkeys(name for table in facts.tables for name in list_networks(table))
    sets = dict.fromkeys(map(describe_set, facts.records))
    settings = len({record.run_key for record in facts.records})
    each = choose_form(settings, "", " each")
    seeds = count_seeds_of_rows(len(row.seeds) for _, row in facts.rows)
    return (
        f"The networks were implemented anew and trained: {join_words(networks, 'and')} on {join_words(sets, 'and')}, "
        f"{count_noun(settings, 'setting')} with {seeds}{each}, "
        f"{count_noun(len(facts.records), 'run')} in all."
    )
