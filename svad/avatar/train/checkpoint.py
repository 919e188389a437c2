"""What a training needs to go on after it was stopped or killed, in one file."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from svad.core.files import write_bytes

if TYPE_CHECKING:
    from svad.avatar.train.trainer import Trainer

DAMAGED = "What was kept of the training was damaged, so it was started again."


class Checkpoint:
    """The file of one training; one of another training is left alone and replaced later."""

    def __init__(self, path: Path, key: str) -> None:
        self.path, self._key = path, key

    def save(self, trainer: Trainer) -> None:
        """Writes the state, atomically; raises `OutputError`."""
        from safetensors.torch import save

        pictures = trainer.pictures
        card: dict[str, Any] = {
            "key": self._key,
            "step": trainer.step,
            "grown": trainer.grown,
            "adam_steps": trainer.adam.steps,
            "random": trainer.random.bit_generator.state,
            "errors": list(pictures.errors.items()),
            "lost": sorted(pictures.lost),
            "bag": pictures.bag,
            "checks": pictures.checks,
            "next_check": pictures.next_check,
        }
        tensors = {k: v.detach().cpu().contiguous() for k, v in _tensors(trainer).items()}
        write_bytes(self.path, save(tensors, {"card": json.dumps(card)}))

    def load_into(self, trainer: Trainer) -> str:
        """Takes the kept state over, if there is one of this training; returns a sentence or ""."""
        from safetensors import SafetensorError, safe_open

        if not self.path.is_file():
            return ""
        try:
            with safe_open(str(self.path), framework="pt") as file:
                card = json.loads((file.metadata() or {})["card"])
                if card["key"] != self._key:
                    return ""
                kept = {name: file.get_tensor(name) for name in file.keys()}
            if not all(bool(t.isfinite().all()) for t in kept.values()):
                return DAMAGED
            if card["grown"] and not trainer.grown:
                trainer.grow()
            mine = _tensors(trainer)
            if {k: v.shape for k, v in mine.items()} != {k: v.shape for k, v in kept.items()}:
                return DAMAGED
            random = trainer.random.bit_generator
            random.state = card["random"]
            errors = {int(row): float(error) for row, error in card["errors"]}
            step, steps = int(card["step"]), int(card["adam_steps"])
            next_check = float(card["next_check"])
        except (OSError, SafetensorError, KeyError, ValueError, TypeError):
            return DAMAGED
        with torch.no_grad():
            for name, value in mine.items():
                value.copy_(kept[name])
        trainer.step, trainer.adam.steps = step, steps
        pictures = trainer.pictures
        pictures.errors, pictures.lost = errors, {int(row) for row in card["lost"]}
        pictures.next_check = next_check
        pictures.bag, pictures.checks = list(card["bag"]), list(card["checks"])
        return ""

    def forget(self) -> None:
        """Removes the file: the training is done."""
        with suppress(OSError):
            self.path.unlink()


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    """All that changes, by name: the very tensors, to be read or written."""
    found = {f"value.{name}": value for name, value in trainer.learned.values.items()}
    for name, pair in zip(trainer.rates, trainer.adam.moments, strict=True):
        found |= {f"mean.{name}": pair[0], f"square.{name}": pair[1]}
    return found | {f"pose.{name}": value for name, value in trainer.poses.state().items()}
