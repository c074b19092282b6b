import os

import pytest

pytest_plugins = ["support.fixtures"]


def pytest_collection_modifyitems(items):
    if os.environ.get("XTRACE_LONG") != "1":
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="only with --long"))
