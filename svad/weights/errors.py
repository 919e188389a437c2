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


class FileMissing(WeightsError):
    """The commit, or the page of its authors, holds no such file."""


class Unreachable(WeightsError):
    """No connection to the server."""


class Offline(Unreachable):
    """Downloads are switched off by HF_HUB_OFFLINE."""


class ConnectionCut(Unreachable):
    """The connection broke too often; what came is kept."""


class Stalled(Unreachable):
    """The server went silent in the middle of a file too often; what came is kept."""


class ServerFailed(WeightsError):
    """The server answered with an error of another kind."""


class ServerBusy(ServerFailed):
    """The server answers fewer requests than it gets (HTTP 429, 503)."""


class PageInstead(WeightsError):
    """A web page came in place of a file, as from a sign-in."""


class RedirectRefused(WeightsError):
    """The server sends on to an address that is not encrypted, or around in a circle."""


class WrongSize(WeightsError):
    """The file has more or fewer bytes than it should have."""


class WrongChecksum(WeightsError):
    """The content of a file is not what it should be."""


class NoRoom(WeightsError):
    """Not enough free disk for what is about to be written."""


class TokenMissing(WeightsError):
    """The Hub has to know who asks, and no token is there."""


class NotYours(WeightsError):
    """The name on the Hub belongs to somebody else."""


class MissingOwn(WeightsError):
    """None of the files that a person has to bring is on this machine."""


class RepositoryPublic(WeightsError):
    """A repository that everybody can read is not a place for files that may not be handed on."""


class TermsNotAccepted(WeightsError):
    """The person has to agree to the terms of a file first."""


class UnsafeFile(WeightsError):
    """The file holds more than tensors and plain values, or is damaged; it was not loaded."""
