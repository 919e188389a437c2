"""What keeps a checkout from becoming a Space."""

from __future__ import annotations

from svad.core.errors import SvadError


class DeployError(SvadError):
    """The checkout, or what is on the Hub under that name, cannot be used."""


class NotAgreed(SvadError):
    """Something costs money, and nobody said yes to it."""
