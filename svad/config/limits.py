"""Ends of ranges that many settings share."""

from __future__ import annotations

# They keep out what cannot work or would never end; what a machine has memory and patience for is
# for its owner to say.
SEEDS = (0, 2**31 - 1)
SHARE = (0.0, 1.0)
RATE = (0.0, 1.0)  # Adam's, a step
HEAVIEST = 1e6  # weight of a term
WEIGHT = (0.0, HEAVIEST)
SIDE = (32, 4096)  # px
