import os
from pathlib import Path

Path(os.environ["HOSTILE_MARK"]).write_text("PWNED")


class Evil:
    """Ran already."""
