"""Open a page in a browser without a screen."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)

# The page runs no script, so a script around it looks into it; the browser is told to let files see each other.
PROBE = """<!DOCTYPE html>
<iframe src="{address}" style="width: {width_px}px; height: 3000px; border: 0"></iframe>
<pre id="seen"></pre>
<script>
window.addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument;
  const all = [...page.body.querySelectorAll("*")];
  const wide = all.filter(e => !e.closest(".scroll, pre") && e.getBoundingClientRect().right > {width_px} + 0.5);
  document.getElementById("seen").textContent = JSON.stringify({{
    ids: all.map(e => e.id).filter(id => id),
    scroll_width_px: page.documentElement.scrollWidth,
    wide: wide.map(e => e.tagName + "." + e.getAttribute("class")),
  }});
}});
</script>
"""


def look_at(page: Path, width_px: int) -> tuple[dict[str, Any], list[str]]:
    """Return what a window of a width finds in a page, and the lines that the page wrote to its console."""
    assert CHROMIUM is not None
    probe = page.with_name(f"probe{width_px}.html")
    probe.write_text(PROBE.format(address=page.name, width_px=width_px))
    command = [
        CHROMIUM,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--disable-dev-shm-usage",
    ]
    command += [
        f"--user-data-dir={page.parent / 'profile'}",
        "--allow-file-access-from-files",
        "--window-size=1300,3200",
    ]
    command += ["--enable-logging=stderr", "--v=0", "--dump-dom", probe.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    seen = re.search('<pre id="seen">(.+?)</pre>', done.stdout, re.DOTALL)
    assert seen, done.stderr
    return json.loads(unescape(seen[1])), [
        line for line in done.stderr.splitlines() if "CONSOLE" in line
    ]
