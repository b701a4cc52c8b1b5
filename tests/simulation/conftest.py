"""Runs log nothing, for they provoke every warning there is."""

import logging

import pytest
import structlog


@pytest.fixture(autouse=True, scope="package")
def silence():
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)
