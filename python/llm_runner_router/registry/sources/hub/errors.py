"""The errors of the hub's library, in words that say what to do about them.

What the library and the hub say themselves is not shown: it may hold whatever the hub likes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llm_runner_router.errors import RouterError, SourceError, UnavailableError
from llm_runner_router.registry.sources.source import HubSource

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
ADVICE = "set HF_TOKEN to a token of an account that may read it"
STRANGE = (ValueError, LookupError, TypeError, AttributeError, RuntimeError)
"""What the library meets where an answer is not what it expects."""


@contextmanager
def hub_errors(source: HubSource, endpoint: str) -> Iterator[None]:
    """RouterErrors of ``source`` instead of those of the library and of its HTTP client."""
    # They take long to import, and many services do not use the hub.
    import httpx2  # noqa: PLC0415
    from huggingface_hub import errors  # noqa: PLC0415

    try:
        yield
    except errors.HfHubHTTPError as error:
        raise of_answer(error, source, endpoint) from None
    except errors.OfflineModeIsEnabled:
        raise offline(source) from None
    except (errors.FileMetadataError, *STRANGE) as error:
        message = f"the hub at {endpoint} answers with something else ({type(error).__name__})"
        raise SourceError(message) from None
    except (OSError, httpx2.HTTPError) as error:
        message = f"the hub at {endpoint} cannot be reached ({type(error).__name__})"
        raise UnavailableError(message) from None


def of_answer(error: HfHubHTTPError, source: HubSource, endpoint: str) -> RouterError:
    """The error of an answer that the library has understood, or of its status."""
    from huggingface_hub import errors  # noqa: PLC0415 - takes long

    name = f"hf://{source.repo_id}"
    page = f"{endpoint}/{source.repo_id}"
    for kind, message in (
        (errors.GatedRepoError, f"{name} is gated: ask for access at {page}, then {ADVICE}"),
        (errors.DisabledRepoError, f"{name} was disabled by the hub"),
        (
            errors.RepositoryNotFoundError,
            f"{name} does not exist, or is private: check the name, or {ADVICE}",
        ),
        (errors.RevisionNotFoundError, f"{name} has no revision {source.revision!r}"),
        (errors.RemoteEntryNotFoundError, f"{source.canonical}: the hub lacks a file it lists"),
    ):
        if isinstance(error, kind):
            return SourceError(message)
    return of_status(name, error.response.status_code)


def of_status(name: str, status: int) -> RouterError:
    """The error of an HTTP status that says no more."""
    if status in (401, 403):
        return SourceError(f"{name}: the hub refuses access (status {status}): {ADVICE}")
    if status in BUSY:
        return UnavailableError(f"{name}: the hub cannot answer now (status {status})")
    return SourceError(f"{name}: the hub refuses it (status {status})")


def offline(source: HubSource) -> UnavailableError:
    """The error of a model that is not here, while the hub may not be asked."""
    return UnavailableError(f"{source.canonical} is not here, and HF_HUB_OFFLINE is set")
