"""Run as a program: a training that tells its steps and is killed from outside."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from svad.avatar.train import trainer
from tests.avatar.drawn import SMALL, person


def main(path: Path) -> None:
    """Trains with a checkpoint at every step; it does not come to its end."""
    trainer.KEPT = trainer.TOLD = -1.0

    def told(done: int, *_: object) -> None:
        print(done, flush=True)
        if done == SMALL.steps - 1:
            time.sleep(600)

    trainer.Trainer(*person(), SMALL, checkpoint=path, key="killed").run(told)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
