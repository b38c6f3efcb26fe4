"""What the parts of a formula look like to the one that comes next: what a slash may divide, and what belongs together. Pure."""

from tools.documents.maths.tree import Fenced, Name, Node, Scripts, Sign


def is_prime(part: Node) -> bool:
    return isinstance(part, Sign) and part.text in ("′", "″")


def can_stand_over(parts: list[Node]) -> bool:
    """Whether a slash behind these parts is the line of a fraction, and not something like k∆x/2, of which the numerator is
    unclear."""
    if not parts:
        return False
    last, before = parts[-1], parts[-2] if len(parts) > 1 else None
    if isinstance(last, Fenced):
        return last.opening == "(" and not is_value(before)
    if isinstance(last, Sign) and last.role != "letter":
        return last.role == "number"
    if before is not None and is_differential(before):
        before = parts[-3] if len(parts) > 2 else None
    return isinstance(last, Sign | Scripts) and not is_value(before)


def is_differential(part: Node) -> bool:
    """The d, ∂ or ∆ of dx, ∂x, ∆x, also d^2."""
    head = part.base if isinstance(part, Scripts) and part.below is None else part
    return isinstance(head, Sign) and head.text in ("d", "∂", "Δ", "δ")


def is_value(part: Node | None) -> bool:
    if isinstance(part, Sign):
        return part.role == "letter"
    return isinstance(part, Scripts | Name)


def unfenced(part: Node) -> Node:
    return part.body if isinstance(part, Fenced) and part.opening == "(" and part.closing == ")" else part
