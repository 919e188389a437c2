"""The person's account on the Hub: who they are there, and what the Hub refuses them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from svad.core.certificates import require_certificates
from svad.core.errors import SvadError
from svad.weights.answers import BUSY
from svad.weights.errors import (
    ConnectionCut,
    NotYours,
    Offline,
    ServerBusy,
    ServerFailed,
    TokenMissing,
    Unreachable,
)

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TOKENS = "https://huggingface.co/settings/tokens"
PAYMENT = 402


def signed_in(
    endpoint: str | None = None,  # address of the Hub if not HF_ENDPOINT
) -> HfApi:
    """The Hub's interface with the person's token; raises `TokenMissing` where there is none.

    Raises `SettingError` for certificates that are none.
    """
    from huggingface_hub import HfApi, get_token

    require_certificates(os.environ)
    token = get_token()
    if not token:
        raise TokenMissing(
            "The Hub has to know who you are, and no token is here. Make one that may write on "
            f"{TOKENS} and set HF_TOKEN to it, or run `hf auth login`."
        )
    return HfApi(endpoint=endpoint, token=token, library_name="svad")


def require_own(api: HfApi, repo: str) -> None:
    """Raises `NotYours` unless a repository NAME/NAME would be the person's or a group's."""
    with asking("tell who you are"):
        me = api.whoami()
    mine = [me["name"], *(group["name"] for group in me.get("orgs", ()))]
    owner = repo.partition("/")[0]
    if owner.lower() not in {name.lower() for name in mine}:
        raise NotYours(
            f"{repo} would belong to {owner}, but your token is that of {me['name']}. Choose a "
            f"name of yours, such as {me['name']}/{repo.partition('/')[2]}."
        )


@contextmanager
def asking(
    doing: str,  # completes "The Hub was asked to ..."
    *,
    uploads: bool = False,
) -> Iterator[None]:
    """Turns what the Hub refuses within the block into a `WeightsError` with a sentence.

    `uploads`: large files are sent in it, and what breaks in their transfer is turned into one,
    too; elsewhere such errors are nothing of the Hub's.
    """
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HTTPError,  # pyright: ignore[reportPrivateImportUsage]
        OfflineModeIsEnabled,
    )

    try:
        yield
    except OfflineModeIsEnabled as error:
        raise Offline(
            f"The Hub cannot be asked to {doing}: HF_HUB_OFFLINE is set. Unset it."
        ) from error
    except (HfHubHTTPError, HTTPError) as error:
        answer = getattr(error, "response", None)
        if answer is None:
            raise Unreachable(
                f"The Hub could not be reached to {doing} ({type(error).__name__}). Check the "
                "network and run the same command again: what is done stays done."
            ) from error
        raise _refused(doing, answer.status_code, error) from error
    except (RuntimeError, OSError, ValueError) as error:
        if not uploads:
            raise
        raise _broken(doing, error) from error


def _first(error: Exception, most: int = 150) -> str:
    return " ".join(str(error).split())[:most]


def _broken(doing: str, error: RuntimeError | OSError | ValueError) -> SvadError:
    """What became of a transfer of large files."""
    if isinstance(error, RuntimeError | OSError):  # as the library of large files raises them
        return ConnectionCut(
            f"The Hub was asked to {doing}, and the transfer broke ({_first(error)}). Run the "
            "same command again: what has come there is not sent twice."
        )
    return ServerFailed(  # of huggingface_hub, for a header or a file it refuses
        f"The Hub was asked to {doing} and does not take it: {_first(error, 300)}"
    )


def _refused(doing: str, status: int, error: Exception) -> SvadError:
    said = getattr(error, "server_message", None) or ""
    words = f' It says: "{said.strip()[:200]}"' if said.strip() else ""
    begun = f"The Hub was asked to {doing} and refused (HTTP {status})."
    if status == 401:
        return ServerFailed(f"{begun} It does not know your token: make a new one on {TOKENS}.")
    if status == 403:
        return ServerFailed(f"{begun}{words} Your token needs the right to write; see {TOKENS}.")
    if status == PAYMENT:
        return ServerFailed(
            f"{begun}{words} It wants a paid plan or a means of payment for that: see "
            "https://huggingface.co/pricing, or choose other hardware."
        )
    if status in BUSY:
        return ServerBusy(f"{begun} It is busy: wait a little and run the same command again.")
    return ServerFailed(f"{begun}{words} Try again later.")
