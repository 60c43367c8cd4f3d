"""Two networks that are equal on a population of images, and unequal on any sample of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Population:
    """Images that each network either knows for sure or guesses with even chances.

    Half of the images that a network has to guess are guessed by the other one, too; so both have half of `hard` as
    their error on the population, and a run's figure moves by chance, by the images, and by `run_sd_pct` with its seed.
    """

    hard: float = 0.12  # share of images that a network has to guess
    run_sd_pct: float = 0.0  # of what moves all images of a run alike, in points

    def draw_differences(self, rng: np.random.Generator, seeds: int, images: int) -> np.ndarray:
        """Return 100 times the first network's error less the second's, (seeds, images), of a new sample of images."""
        kind = rng.random(images)
        both = kind < self.hard / 2
        first_alone = (kind >= self.hard / 2) & (kind < self.hard)
        second_alone = (kind >= self.hard) & (kind < 1.5 * self.hard)
        errors = []
        for hard in (both | first_alone, both | second_alone):
            errors.append(np.zeros((seeds, images)))
            guessed = int(hard.sum())
            # A seed's luck: on the images that are guessed, the chance of an error is a little off a half.
            luck = rng.normal(0.0, self.run_sd_pct / 100 / self.hard, (seeds, 1))
            errors[-1][:, hard] = rng.random((seeds, guessed)) < 0.5 + luck
        return 100 * (errors[0] - errors[1])
