"""The map of a large package, in its docstring, names every module that is there and none that is not."""

import importlib
import pkgutil
import re

import pytest


@pytest.mark.parametrize("package", ["rules", "tierengine.judging", "tierengine.recording"])
def test_a_package_s_map_names_its_modules(package):
    module = importlib.import_module(package)
    there = {one.name for one in pkgutil.iter_modules(module.__path__)}
    _, _, listed = module.__doc__.partition(":\n")
    named = set(re.findall(r"\w+", listed))
    assert there <= named, f"not on the map: {sorted(there - named)}"
    told = {word for word in named if "_" in word}
    assert told <= there, f"on the map and not there: {sorted(told - there)}"
