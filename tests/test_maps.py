"""The map of a large package, in its docstring, names every module that is there and none that is not."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LARGE = 6  # modules: fewer are seen at a glance
PACKAGES = [
    ".".join(folder.relative_to(ROOT).parts)
    for top in ("api", "rules", "tierengine")
    for folder in (ROOT / top, *(one for one in (ROOT / top).iterdir() if one.is_dir()))
    if len(list(folder.glob("[!_]*.py"))) >= LARGE
]
UNMAPPED = {
    "rules.policy",  # values, as the grammar's sections are called
    "rules.catalogue",  # the problems by the digit of their code
    "rules.explanations",  # their examples, likewise
    "tierengine",  # what all share: its packages are in README.md, "How it is built"
}


@pytest.mark.parametrize("package", [one for one in PACKAGES if one not in UNMAPPED])
def test_a_package_s_map_names_its_modules(package):
    module = importlib.import_module(package)
    there = {one.name for one in pkgutil.iter_modules(module.__path__)}
    _, _, listed = module.__doc__.partition(":\n")
    named = set(re.findall(r"\w+", listed))
    assert there <= named, f"not on the map: {sorted(there - named)}"
    told = {word for word in named if "_" in word}
    assert told <= there, f"on the map and not there: {sorted(told - there)}"
