"""What a training needs to go on after it was stopped or killed, in one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
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
        """Takes the kept state over, if there is one of this training; returns a sentence or "".

        A damaged one is left alone, and changes nothing of the trainer.
        """
        from safetensors import SafetensorError

        if not self.path.is_file():
            return ""
        first = trainer.learned
        try:
            card, kept = self._read()
            if card["key"] != self._key:
                return ""
            if card["grown"] and not trainer.grown:
                trainer.grow()
            fits = {k: v.shape for k, v in _tensors(trainer).items()}
            if fits == {k: v.shape for k, v in kept.items()} and all(map(_finite, kept.values())):
                _take_over(trainer, card, kept)
                return ""
        except (OSError, SafetensorError, KeyError, ValueError, TypeError, AttributeError):
            pass
        if trainer.learned is not first:
            trainer.start_with(first)
        return DAMAGED

    def _read(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        from safetensors import safe_open

        with safe_open(str(self.path), framework="pt") as file:
            card = json.loads((file.metadata() or {})["card"])
            return card, {name: file.get_tensor(name) for name in file.keys()}


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    """All that changes, by name: the very tensors, to be read or written."""
    found = {f"value.{name}": value for name, value in trainer.learned.values.items()}
    for name, pair in zip(trainer.rates, trainer.adam.moments, strict=True):
        found |= {f"mean.{name}": pair[0], f"square.{name}": pair[1]}
    return found | {f"pose.{name}": value for name, value in trainer.poses.state().items()}


def _finite(values: Tensor) -> bool:
    return bool(values.isfinite().all())


def _take_over(trainer: Trainer, card: dict[str, Any], kept: dict[str, Tensor]) -> None:
    """Puts a kept state into the trainer; all of it is read before anything changes."""
    random = np.random.default_rng()
    random.bit_generator.state = card["random"]
    errors = {int(row): float(error) for row, error in card["errors"]}
    lost, bag = {int(row) for row in card["lost"]}, [int(row) for row in card["bag"]]
    checks, next_check = [float(error) for error in card["checks"]], float(card["next_check"])
    step, steps = int(card["step"]), int(card["adam_steps"])
    with torch.no_grad():
        for name, value in _tensors(trainer).items():
            value.copy_(kept[name])
    trainer.step, trainer.adam.steps, trainer.random = step, steps, random
    pictures = trainer.pictures
    pictures.errors, pictures.lost, pictures.bag = errors, lost, bag
    pictures.checks, pictures.next_check = checks, next_check
