"""Sandboxes for tests of their responses."""

import pytest

from tests.sandbox_client import SandboxStarter


@pytest.fixture
def serving():
    """Start sandboxes that end with the test."""
    with SandboxStarter() as started:
        yield started


@pytest.fixture(scope="module")
def extended():
    """An open sandbox without limits, shared by tests that only look."""
    with SandboxStarter() as started:
        yield started(mode="extended")


@pytest.fixture(scope="module")
def development():
    """A sandbox as new apps know Spotify, shared by tests that only look."""
    with SandboxStarter() as started:
        yield started(mode="development")
