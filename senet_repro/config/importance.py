"""State by what the importance of a channel is told, and which shares are masked (config floor; no torch)."""

from __future__ import annotations

from senet_repro.core.choice import find_nearest
from senet_repro.core.errors import ConfigError
from senet_repro.core.wording import join_words

GATE = "gate"
L1 = "l1"
BATCHNORM = "batchnorm"
ACTIVATION = "activation"
RANDOM = "random"

MEASURES = {
    GATE: "mean of the gate's absolute value over images and positions",
    L1: "L1 norm of the filter that makes the channel",
    BATCHNORM: "absolute scale of the channel's batch normalisation",
    ACTIVATION: "mean absolute activation of the map before the gate",
    RANDOM: "drawn by seed",
}
"""By what channels are ranked, and what that is."""

SHARES_PCT = tuple(range(10, 100, 10))
"""The shares of channels that are masked, in percent."""

CUT_SHARE_PCT = 50
"""The share at which the cut network is set beside the whole one."""

DRAWS = 5
"""How often channels are ranked at random."""

ALL_STAGES = "all"
"""The scope of masks in the blocks of all stages; any other is the number of one stage."""


def read_measures(text: str) -> list[str]:
    """Return the measures of a list such as `gate,l1`, each once, in the order of `MEASURES`.

    Raises:
        ConfigError: there is no such measure; the message names the nearest one.
    """
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in MEASURES:
            nearest = find_nearest(word, MEASURES)
            hint = f"did you mean {nearest}? " if nearest else ""
            raise ConfigError(f"--by {word}: {hint}give {join_words(list(MEASURES), 'or')}")
    return [measure for measure in MEASURES if measure in words]
