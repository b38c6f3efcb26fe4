"""The chat models behind the agent: built-in, planned (small local models) and native, chosen by the settings."""

from assistant.models.builtin import BuiltinModel
from assistant.models.factory import ModelSettings, build_model
from assistant.models.native import NativeModel
from assistant.models.planned import PlannedModel

__all__ = ["BuiltinModel", "ModelSettings", "NativeModel", "PlannedModel", "build_model"]
