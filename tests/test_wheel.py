"""The package works as an installed wheel, from any folder and without the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

COMPOSE = """
import sys
from pathlib import Path
import senet_repro
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
def test_a_wheel_composes_every_ablation_and_prints_tables_from_another_folder(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    zipfile.ZipFile(wheel).extractall(site)
    # First on the path, the unpacked wheel hides the checkout that this environment knows.
    code = f"import sys; sys.path.insert(0, {str(site)!r})\n{COMPOSE}"
    subprocess.run([sys.executable, "-c", code, str(site)], cwd=elsewhere, check=True)
    table = subprocess.run(
        [sys.executable, "-m", "senet_repro", "+ablation=stages", "--cfg", "job"],
        cwd=elsewhere,
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin"},
    )
    assert "SE_Stage_4" in table.stdout
