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
names = sorted(path.stem for path in (CONF_DIR / "ablation").glob("*.yaml"))
assert len(names) == 8, names
for name in names:
    for protocol in ("demo", "cifar10", "cifar100", "imagenet"):
        assert compose([f"+ablation={name}", f"protocol={protocol}"]).table.name == name
"""


@pytest.mark.slow
def test_a_wheel_composes_every_ablation_and_prints_tables_from_another_folder(
    tmp_path: Path,
) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for part in ("page.html.jinja", "parts.html.jinja", "page.css"):
        assert f"senet_repro/report/page/{part}" in names
    assert "senet_repro/py.typed" in names
    (entry_points,) = (name for name in names if name.endswith("entry_points.txt"))
    assert "[hydra.plugins]" in zipfile.ZipFile(wheel).read(entry_points).decode()
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
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
        (["+ablation=stages", "--cfg", "job"], "SE_Stage_4"),
        (["table"], "no records in runs"),
        (["--help"], "+ablation=NAME"),
        (["-m", "r=2,4", "dry=true"], "2 of 2 runs to train"),
    ):
        command = [*python, "-m", "senet_repro", *arguments]
        done = subprocess.run(
            command, cwd=elsewhere, env=environment, check=True, capture_output=True, text=True
        )
        assert expected in done.stdout
