"""Every problem a policy file can have, in both tongues, with what to do about it.

P1xx the text is no clean YAML; P2xx keys; P3xx values; P4xx names that lead nowhere; P5xx what is said makes no sense.
Codes are stable: they stand in people's notes and in editors. A sentence may use {found}, {allowed}, {about}.
"""

from __future__ import annotations

from typing import Final

from rules.catalogue.entry import Entry
from rules.catalogue.keys import KEYS
from rules.catalogue.meaning import MEANING
from rules.catalogue.references import REFERENCES
from rules.catalogue.text import TEXT
from rules.catalogue.values import VALUES

CATALOGUE: Final[dict[str, Entry]] = {**TEXT, **KEYS, **VALUES, **REFERENCES, **MEANING}
