"""What tests of delegates may use."""

import pytest
from blockbuster import BlockBuster
from support import Call


@pytest.fixture
def users_may_block(no_blocking: BlockBuster) -> None:
    """Allow a synchronous subagent to wait for a graph of its own, which our frames are below."""
    no_blocking.deactivate()


@pytest.fixture
def sync_may_block(call: Call, no_blocking: BlockBuster) -> None:
    """Allow the synchronous way to wait for a server: tests run it inside a loop. The asynchronous one may not."""
    if not call.is_async:
        no_blocking.deactivate()
