"""The gate: rules that turn away questions and cards that are not worth a student's time."""

from tools.study.gate.judging import ItemGate
from tools.study.gate.repeats import Known

__all__ = ["ItemGate", "Known"]
