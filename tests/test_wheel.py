"""The package works as an installed wheel, from any folder and without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

COMPOSE = """
import sys
from pathlib import Path
import senet_repro
assert not any(Path(entry).joinpath('conf/config.yaml').exists() for entry in sys.path), sys.path
from senet_repro.config.composition import CONF_DIR, compose
site = Path(sys.argv[1])
assert Path(senet_repro.__file__).is_relative_to(site), senet_repro.__file__
assert CONF_DIR.is_relative_to(site), CONF_DIR
# A table of each kind and every protocol; the checkout's own tests compose all of them.
for table in ("+ablation=squeeze", "+experiment=cifar10"):
    assert compose([table]).table is not None
for protocol in (CONF_DIR / "protocol").glob("*.yaml"):
    run = compose([f"protocol={protocol.stem}"])
    assert run.protocol.name == protocol.stem
    assert run.data.classes >= (3 if run.task == "detection" else 10)
"""


@pytest.mark.slow
def test_a_wheel_composes_tables_and_prints_them_from_another_folder(
    tmp_path: Path,
) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = {Path(name).name for name in zipfile.ZipFile(wheel).namelist()}
    files = {
        "page.html.jinja",
        "parts.html.jinja",
        "page.css",
        "squeeze.yaml",
        "imagenet_wnids.txt",
    }
    assert files <= packed
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    (elsewhere / "runs").mkdir(parents=True)
    install = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--target",
        str(site),
    ]
    subprocess.run([*install, str(wheel)], check=True)
    # Without site (-S) Python does not learn of the editable checkout that its own environment holds.
    python = [sys.executable, "-S"]
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{sysconfig.get_path('purelib')}"}
    subprocess.run([*python, "-c", COMPOSE, str(site)], cwd=elsewhere, env=environment, check=True)
    for arguments, expected in (
        (["table"], "no records in runs"),
        (["--help"], "+ablation=NAME"),
        (["-m", "r=2,4", "dry=true"], "2 of 2 runs to train"),
    ):
        command = [*python, "-m", "senet_repro", *arguments]
        done = subprocess.run(
            command, cwd=elsewhere, env=environment, check=True, capture_output=True, text=True
        )
        assert expected in done.stdout
