"""Puts the manifest, which lies beside the package for people to read, into the built package."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithManifest(build_py):
    """`build_py` that also copies weights_manifest.yaml."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            place = Path(self.build_lib) / "svad" / "weights"
            shutil.copy("weights_manifest.yaml", place / "weights_manifest.yaml")


setup(cmdclass={"build_py": WithManifest})
