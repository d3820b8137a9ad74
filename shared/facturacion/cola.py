"""What an SQS queue takes in a message."""

from __future__ import annotations

import re
from typing import Final

MESSAGE_MAX_BYTES: Final = 1_048_576
"""Of the body and the attributes together."""
PROHIBIDO: Final = re.compile("[^\x09\x0a\x0d\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What is taken in no message, although a body that came through a queue can spell it."""
