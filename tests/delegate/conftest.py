"""What tests of delegates may use."""

import pytest
from blockbuster import BlockBuster


@pytest.fixture
def users_may_block(no_blocking: BlockBuster) -> None:
    """Allow a synchronous subagent to wait for a graph of its own, which our frames are below."""
    no_blocking.deactivate()
