"""Motions: what an avatar is played with. `motion.py` says what one is.

`authored/` holds those written for this project, a file each. Readers of recorded ones (BVH, AMASS)
belong into `readers/`, a file per format: functions that return a `Motion`.
"""
