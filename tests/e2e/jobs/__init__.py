"""Programs for Node that use the queue."""

from pathlib import Path

FOLDER = Path(__file__).parent
