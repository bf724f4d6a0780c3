"""What `policy explain CODE` tells: for every problem of the catalogue a file that has it, and the file mended.

The examples are Chinese; the English ones are made from them by the converter, except where the mistake is one of
spelling or leaves nothing to convert. In `fails` the sign ▲ stands before the character that the problem is found at;
⟪x×3⟫ is xxx, for files that are wrong by their size, and № in it is 0, 1, 2. A test reads every one of them.
"""

from __future__ import annotations

from typing import Final

from rules.explanations.example import Example
from rules.explanations.keys import KEYS
from rules.explanations.meaning import MEANING
from rules.explanations.references import REFERENCES
from rules.explanations.text import TEXT
from rules.explanations.values import VALUES

EXAMPLES: Final[dict[str, Example]] = {**TEXT, **KEYS, **VALUES, **REFERENCES, **MEANING}
