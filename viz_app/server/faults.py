"""Faults as messages: what a person may read of what went wrong.

Faults that a user can cause speak for themselves, in the visitor's language; all others are the log's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from a2core import A2Error
from viz_app.server import metrics
from viz_app.ui import language, text

logger = logging.getLogger("a2.app")
T = TypeVar("T")


def attempt(action: Callable[[], T]) -> tuple[T | None, str]:
    """What `action` returns and "", or None and what to tell the visitor.

    Faults that a user can cause speak for themselves; anything else goes to the log with its
    traceback, and the visitor reads that it was not their doing.
    """
    try:
        return action(), ""
    except A2Error as error:
        metrics.count("refusals")
        logger.info("refused: %s", type(error).__name__)  # its words name the visitor's file
        return None, language.told(error)
    except Exception:  # the last net before a student; the log has it all
        metrics.count("faults")
        logger.exception("unexpected fault")
        return None, text.UNEXPECTED
