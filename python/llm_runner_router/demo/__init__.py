"""The demo model that ships with the package: it answers questions about LLM Runner Router."""

from importlib.resources import as_file, files
from pathlib import Path

_FILE = "demo.gguf"


def demo_model_path() -> Path:
    """The GGUF file of the demo model.

    The engine maps the file, so the package must lie unpacked on the disk, as pip installs it.

    Raises:
        FileNotFoundError: the package was installed without the file.
    """
    with as_file(files(__name__).joinpath(_FILE)) as path:
        if not path.is_file():
            raise FileNotFoundError(f"the package holds no demo model: {path} is missing")
        return path
