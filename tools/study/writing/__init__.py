"""Tests and cards written by a language model: the Maker that asks one, validates what it says, and repairs it once."""

from tools.study.writing.maker import PROMPT_VERSION, ModelMaker

__all__ = ["PROMPT_VERSION", "ModelMaker"]
