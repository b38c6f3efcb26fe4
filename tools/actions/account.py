"""The user's own account."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from tools.context import ToolContext
from tools.spec import Effect, NoInput, tool


class Profile(BaseModel):
    id: UUID
    name: str
    email: str
    is_local_owner: bool = Field(description="The account that was made by the first start on this machine.")
    created_at: datetime
    last_login_at: datetime | None
    class_count: int
    material_count: int


@tool(effect=Effect.READ, toolset="account")
async def get_profile(ctx: ToolContext, args: NoInput) -> Profile:
    """Who is signed in, and how much the account holds."""
    user = await ctx.db.accounts.me()
    classes = await ctx.db.classes.recent(limit=1, cursor=None)
    materials = await ctx.db.materials.recent(class_id=None, status=None, limit=1, cursor=None)
    fields = {n: getattr(user, n) for n in Profile.model_fields if not n.endswith("_count")}
    return Profile(**fields, class_count=classes.total, material_count=materials.total)
