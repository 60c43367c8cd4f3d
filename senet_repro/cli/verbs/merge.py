"""`python -m senet_repro merge`: runs that others trained, taken into a campaign once they were checked."""

from __future__ import annotations

import argparse

from senet_repro.cli.options import parse_path

DESCRIPTION = (
    "Runs that others trained, checked and taken into a campaign. Tables then say whose runs they hold. "
    "Exit code 1: some were refused; 2: none could be taken."
)
DOING = "checking the runs of others"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument(
        "folder",
        type=parse_path,
        metavar="FOLDER",
        help="their results: runs/NAME, or experiments/NAME of their clone",
    )
    parser.add_argument(
        "--into",
        type=parse_path,
        required=True,
        metavar="CAMPAIGN",
        help="the campaign's folder, with campaign.yaml and plan.yaml",
    )
    parser.add_argument(
        "--from",
        dest="origin",
        required=True,
        metavar="NAME",
        help='whom tables cite, such as "Lab X, 2026"',
    )
    parser.add_argument(
        "--check", action="store_true", help="say what would be taken, and write nothing"
    )


def run_verb(options: argparse.Namespace) -> int:
    """Take the runs of a folder into a campaign, and print what became of each; return 1 if one was refused.

    Raises:
        ConfigError: there is no such folder or campaign, the name is none, or no run could be taken.
    """
    from senet_repro.cli.merging import merge_runs

    return merge_runs(options.folder, options.into, options.origin, only_check=options.check)
