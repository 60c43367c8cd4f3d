"""What is imported for good is out of the garbage collector's way, and what comes later is not."""

from __future__ import annotations

import subprocess
import sys

COUNTS = """
import gc
from senet_repro.core.loading import loading_for_good

with loading_for_good("a library"):
    assert not gc.isenabled()
    import decimal
kept = gc.get_freeze_count()
assert kept > 0 and gc.isenabled()
with loading_for_good("it once more"):
    import decimal
assert gc.get_freeze_count() == kept
gc.disable()
try:
    with loading_for_good("another"):
        import fractions
        import there_is_no_such_module
except ModuleNotFoundError:
    assert gc.get_freeze_count() == kept
else:
    raise AssertionError
assert not gc.isenabled()
"""


def test_only_the_first_import_of_a_module_freezes_what_there_is() -> None:
    # In a process of its own, since what is frozen stays so.
    subprocess.run([sys.executable, "-c", COUNTS], check=True)
