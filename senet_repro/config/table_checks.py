"""The checks of a table's file, so that a slip in it is named where it stands (config floor; no torch)."""

from __future__ import annotations

from collections.abc import Mapping

from senet_repro.config.identity import AXES
from senet_repro.config.schema import Claim, PaperTable, Row
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError

ROW_SETTINGS = (*AXES, "model")
"""The settings that a row may name: the axes, and a network."""
RESCORED_SETTINGS = ("model", "size_px", "resize_px", *AXES)
"""The settings by which a row finds weights that are evaluated as they are: network, SE, and how images are cut."""


def check_table(table: PaperTable, file: str) -> None:
    """Accept a table whose rows and claims name nothing that is not there; `file` is where it was read from.

    Raises:
        ConfigError: a name, row, axis or margin is missing or unknown; the message names the file.
    """
    stem = file.rpartition("/")[2].removesuffix(".yaml")
    if table.name != stem:
        raise ConfigError(f"{file}: its table is named {table.name}; give name: {stem}")
    if table.baseline is not None:
        require_choice(f"{file}: baseline", table.baseline, table.rows)
    for name, row in {**table.beside, **table.rows}.items():
        _check_row(table, row, f"{file}: row {name}")
    for claim in table.claims:
        _check_claim(table, claim, f"{file}: the claim '{claim.says}'")


def _check_row(table: PaperTable, row: Row, where: str) -> None:
    for setting in row.axes or {}:
        require_choice(f"{where}: axes", setting, ROW_SETTINGS)
    rescored = row.rescored
    for setting in rescored or {}:
        require_choice(f"{where}: rescored", setting, RESCORED_SETTINGS)
    if rescored is not None and not {"model", "size_px", "resize_px"} <= rescored.keys():
        raise ConfigError(f"{where}: rescored: give model, size_px and resize_px")
    if row.baseline is not None:
        require_choice(f"{where}: baseline", row.baseline, table.rows)


def _check_claim(table: PaperTable, claim: Claim, where: str) -> None:
    known = (*table.rows, *table.beside)
    for row in claim.rows:
        require_choice(f"{where}: rows", row, known)
    for row in claim.gain:
        require_choice(f"{where}: gain", row, known)
    if len(set(claim.rows)) < max(2, len(claim.rows)):
        raise ConfigError(f"{where}: give two rows or more, each once")
    # A kind that somebody added has checks of its own.
    check_kind = _KIND_CHECKS.get(claim.kind)
    if check_kind:
        check_kind(claim, where)
    if claim.kind == "below":
        _check_below(claim, {**table.beside, **table.rows}, where)


def _check_lower(claim: Claim, where: str) -> None:
    if claim.smallest_effect is not None and claim.smallest_effect <= 0:
        raise ConfigError(f"{where}: smallest_effect is a gain in points, so give one above 0")


def _check_equivalent(claim: Claim, where: str) -> None:
    if claim.margin is not None:
        raise ConfigError(
            f"{where}: margin is for costs; give margin_share with gain, or margins: {{DATA: {claim.margin:g}}}"
        )
    margins = list(claim.margins.values())
    if claim.margin_share is not None:
        if len(claim.gain) != 2:
            raise ConfigError(
                f"{where}: a margin_share needs gain: [the row with SE, the row without]"
            )
        margins.append(claim.margin_share)
    if not margins:
        raise ConfigError(f"{where}: claims of kind equivalent need a margin_share or margins")
    if min(margins) <= 0:
        raise ConfigError(f"{where}: give margins above 0")


def _check_cost(claim: Claim, where: str) -> None:
    if claim.margin is None:
        raise ConfigError(f"{where}: claims of kind cost need a margin")
    if claim.increase_pct is None or len(claim.rows) != 2:
        raise ConfigError(f"{where}: a cost claim needs two rows and an increase_pct")


def _check_rivals(claim: Claim, where: str) -> None:
    if len(claim.rows) != 2:
        raise ConfigError(f"{where}: a claim of kind rivals needs two rows")
    if not claim.margins or min(claim.margins.values()) < 0:
        raise ConfigError(f"{where}: give margins: {{DATA: POINTS}}, 0 or more points")
    if claim.most_share is None or not 0 < claim.most_share <= 1:
        raise ConfigError(f"{where}: give a most_share above 0, and 1 at most, such as 0.5")


def _check_below(claim: Claim, rows: Mapping[str, Row], where: str) -> None:
    first, *others = (rows[name] for name in claim.rows)
    are_told_apart = first.axes is not None and len(others) == 1 and others[0].axes is None
    if not are_told_apart:
        raise ConfigError(
            f"{where}: a claim of kind below needs a row that is trained, and one that is cited (axes: null)"
        )


_KIND_CHECKS = {
    "lower": _check_lower,
    "equivalent": _check_equivalent,
    "cost": _check_cost,
    "rivals": _check_rivals,
}
