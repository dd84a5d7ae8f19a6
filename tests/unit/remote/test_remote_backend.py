from __future__ import annotations

import pytest

from llm_runner_router.errors import UnavailableError
from llm_runner_router.remote import RemoteBackend


async def test_the_password_of_an_address_where_nothing_answers_is_not_shown() -> None:
    backend = RemoteBackend("https://u:secret@127.0.0.1:1", connect_timeout=0.01)
    with pytest.raises(UnavailableError, match=r"^no service answers at 'https://…@127.0.0.1:1'$"):
        await backend.initialize()
    await backend.close()
