"""What can go wrong with pretrained files, one type and one sentence for each."""

from __future__ import annotations

from svad.core.errors import SvadError


class WeightsError(SvadError):
    """A pretrained file cannot be had or used."""


class ManifestError(WeightsError):
    """The manifest or the user's list of own files is not as it should be."""


class GatedRepo(WeightsError):
    """The Hub wants terms to be accepted on its page first, and a token."""


class RepositoryMissing(WeightsError):
    """No such repository on the Hub, or a private one."""


class RevisionMissing(WeightsError):
    """The repository has no such commit."""


class FileMissingOnHub(WeightsError):
    """The commit holds no such file."""


class HubUnreachable(WeightsError):
    """No connection to the Hub, or it broke too often."""


class HubOffline(HubUnreachable):
    """Downloads are switched off by HF_HUB_OFFLINE."""


class HubFailed(WeightsError):
    """The Hub answered with an error of another kind."""


class WrongChecksum(WeightsError):
    """The content of a file is not what it should be."""


class NoRoom(WeightsError):
    """Not enough free disk for what is about to be written."""


class TermsNotAccepted(WeightsError):
    """The person has to agree to the terms of a file first."""


class UnsafeFile(WeightsError):
    """The file holds more than tensors and plain values, or is damaged; it was not loaded."""
