"""People, their signed-in devices, their API keys, and the programs they let in by OAuth."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, SmallInteger, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base, Identified, Json, Owned, SoftDeleted, Timestamped, between, one_of

SCHEDULERS = ("fsrs", "sm2")
REGISTRATIONS = ("dynamic", "metadata_document", "operator")


class User(Base, Identified, Timestamped, SoftDeleted):
    """A person's account, with the settings of their study."""

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(comment="Address to sign in with; unique, whatever the case.")
    username: Mapped[str | None] = mapped_column(
        comment="Name that classmates find them by; unique, whatever the case."
    )
    name: Mapped[str] = mapped_column(comment="What the person is called.")
    password_hash: Mapped[str | None] = mapped_column(comment="Argon2id; null until a password is set.")
    email_verified_at: Mapped[datetime | None] = mapped_column(comment="When the address was confirmed.")
    is_active: Mapped[bool] = mapped_column(
        server_default=text("true"), comment="False locks the account out."
    )
    is_local_owner: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="The account that a laptop's first start makes; at most one."
    )
    last_login_at: Mapped[datetime | None] = mapped_column(comment="Last successful sign-in.")
    avatar_url: Mapped[str | None] = mapped_column(comment="Picture of the person.")
    school_name: Mapped[str | None] = mapped_column(comment="School or university.")
    grade_level: Mapped[str | None] = mapped_column(comment="Year of school or study, as the person says it.")
    region: Mapped[str | None] = mapped_column(comment="State or country whose curriculum applies.")
    language: Mapped[str] = mapped_column(
        server_default=text("'en'"), comment="Language to answer in (BCP 47)."
    )
    timezone: Mapped[str] = mapped_column(
        server_default=text("'UTC'"), comment="IANA time zone; decides what is due today."
    )
    day_start_hour: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("4"), comment="Hour of local time at which a study day begins."
    )
    scheduler: Mapped[str] = mapped_column(
        server_default=text("'fsrs'"), comment="How reviews are scheduled: fsrs or sm2."
    )
    desired_retention: Mapped[float] = mapped_column(
        server_default=text("0.9"), comment="Share of cards to be remembered when due (FSRS), 0.7 to 0.99."
    )
    fsrs_parameters: Mapped[list[float] | None] = mapped_column(
        comment="The 21 weights of FSRS-6 fitted to this person; null for the default ones."
    )
    learning_steps: Mapped[list[int]] = mapped_column(
        ARRAY(Integer),
        server_default=text("'{60,600}'"),
        comment="Seconds between the first reviews of a new card.",
    )
    relearning_steps: Mapped[list[int]] = mapped_column(
        ARRAY(Integer),
        server_default=text("'{600}'"),
        comment="Seconds between reviews of a card that was forgotten.",
    )
    maximum_interval_days: Mapped[int] = mapped_column(
        server_default=text("36500"), comment="Longest time between two reviews."
    )
    new_cards_per_day: Mapped[int] = mapped_column(
        server_default=text("20"), comment="Daily limit of new cards."
    )
    reviews_per_day: Mapped[int] = mapped_column(
        server_default=text("200"), comment="Daily limit of reviews."
    )
    leech_threshold: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("8"), comment="Lapses after which a card counts as a leech."
    )
    preferences: Mapped[Json] = mapped_column(
        server_default=text("'{}'"), comment="Settings of the page that mean nothing to the server."
    )

    __table_args__ = (
        one_of("scheduler", SCHEDULERS),
        between("desired_retention", 0.7, 0.99),
        between("day_start_hour", 0, 23),
        Index("uq_users_email", func.lower(email), unique=True),
        Index("uq_users_username", func.lower(username), unique=True),
        Index("uq_users_local_owner", is_local_owner, unique=True, postgresql_where=text("is_local_owner")),
        Index("ix_users_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )


class UserSession(Base, Identified, Owned, Timestamped):
    """One signed-in device: a short access token and a refresh token that rotates; only hashes are kept (SHA-256)."""

    __tablename__ = "user_sessions"

    access_hash: Mapped[bytes] = mapped_column(unique=True, comment="SHA-256 of the access token.")
    access_expires_at: Mapped[datetime] = mapped_column(comment="When the access token ends.")
    refresh_hash: Mapped[bytes] = mapped_column(unique=True, comment="SHA-256 of the refresh token.")
    refresh_expires_at: Mapped[datetime] = mapped_column(comment="When the device must sign in again.")
    previous_refresh_hash: Mapped[bytes | None] = mapped_column(
        unique=True, comment="The refresh token before; its late use means that somebody has a copy."
    )
    rotated_at: Mapped[datetime | None] = mapped_column(comment="When the refresh token was last replaced.")
    device: Mapped[str | None] = mapped_column(comment="Browser and system, for the list of devices.")
    ip_address: Mapped[str | None] = mapped_column(comment="Address at sign-in.")
    last_used_at: Mapped[datetime | None] = mapped_column(comment="Last refresh.")
    revoked_at: Mapped[datetime | None] = mapped_column(comment="When it was signed out.")

    __table_args__ = (
        Index("ix_user_sessions_user_id", "user_id"),
        Index("ix_user_sessions_refresh_expires_at", "refresh_expires_at"),
    )


class ApiKey(Base, Identified, Owned, Timestamped):
    """A key for programs. The key itself is shown once and only its hash is kept."""

    __tablename__ = "api_keys"

    name: Mapped[str] = mapped_column(comment="What its owner calls it.")
    prefix: Mapped[str] = mapped_column(comment="First characters, to recognise it in a list.")
    key_hash: Mapped[bytes] = mapped_column(unique=True, comment="SHA-256 of the key.")
    scopes: Mapped[list[str]] = mapped_column(
        comment="What it may do: toolset:read, toolset:write, *:read or *."
    )
    rate_limit: Mapped[int | None] = mapped_column(comment="Calls a minute; null for the general limit.")
    expires_at: Mapped[datetime | None] = mapped_column(comment="When it stops working by itself.")
    last_used_at: Mapped[datetime | None] = mapped_column(comment="Last call, to within a minute.")
    revoked_at: Mapped[datetime | None] = mapped_column(comment="When its owner withdrew it.")

    __table_args__ = (
        CheckConstraint("rate_limit > 0", name="rate_limit"),
        Index("ix_api_keys_user_id", "user_id"),
        Index("ix_api_keys_expires_at", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    )


class OAuthClient(Base, Identified, Timestamped):
    """A program that may ask people for access (OAuth 2.1). Belongs to nobody: it registers before anyone signs in."""

    __tablename__ = "oauth_clients"

    client_id: Mapped[str] = mapped_column(
        unique=True, comment="Its public name; an https address when a metadata document describes it."
    )
    registration: Mapped[str] = mapped_column(comment="How it came: dynamic, metadata_document or operator.")
    name: Mapped[str] = mapped_column(comment="Name on the consent page.")
    redirect_uris: Mapped[list[str]] = mapped_column(comment="Where a code may be sent; compared exactly.")
    secret_hash: Mapped[bytes | None] = mapped_column(
        comment="SHA-256 of its secret; null for a public client."
    )
    token_endpoint_auth_method: Mapped[str] = mapped_column(
        server_default=text("'none'"), comment="none, client_secret_basic or client_secret_post."
    )
    grant_types: Mapped[list[str]] = mapped_column(
        server_default=text("'{authorization_code,refresh_token}'"), comment="Flows it may use."
    )
    scopes: Mapped[list[str]] = mapped_column(
        server_default=text("'{}'"), comment="Most that it may ask for; empty for no bound."
    )
    document: Mapped[Json] = mapped_column(
        server_default=text("'{}'"), comment="Its registration or metadata document as received (RFC 7591)."
    )
    document_expires_at: Mapped[datetime | None] = mapped_column(
        comment="When the metadata document must be fetched again."
    )
    last_used_at: Mapped[datetime | None] = mapped_column(comment="Last token given to it.")
    disabled_at: Mapped[datetime | None] = mapped_column(comment="When the operator shut it out.")

    __table_args__ = (
        one_of("registration", REGISTRATIONS),
        one_of("token_endpoint_auth_method", ("none", "client_secret_basic", "client_secret_post")),
    )


class OAuthGrant(Base, Identified, Owned, Timestamped):
    """One consent of a user to a program: first a code, then a pair of tokens that rotates. Only hashes are kept."""

    __tablename__ = "oauth_grants"

    oauth_client_id: Mapped[UUID] = mapped_column(
        ForeignKey("oauth_clients.id", ondelete="CASCADE"), index=True, comment="The program."
    )
    scopes: Mapped[list[str]] = mapped_column(comment="What the user allowed.")
    resource: Mapped[str | None] = mapped_column(comment="The server the tokens are for (RFC 8707).")
    redirect_uri: Mapped[str] = mapped_column(
        comment="Where the code was sent; an exchange that names it must name this one."
    )
    code_hash: Mapped[bytes | None] = mapped_column(unique=True, comment="SHA-256 of the authorization code.")
    code_challenge: Mapped[str] = mapped_column(comment="PKCE challenge, S256 (RFC 7636).")
    code_expires_at: Mapped[datetime] = mapped_column(comment="When the code ends, a minute after consent.")
    code_used_at: Mapped[datetime | None] = mapped_column(
        comment="When it was exchanged; a second time revokes the grant."
    )
    access_hash: Mapped[bytes | None] = mapped_column(unique=True, comment="SHA-256 of the access token.")
    access_expires_at: Mapped[datetime | None] = mapped_column(comment="When the access token ends.")
    previous_access_hash: Mapped[bytes | None] = mapped_column(
        unique=True,
        comment="The access token before: good to its own end, for calls under way and for a program's other processes.",
    )
    previous_access_expires_at: Mapped[datetime | None] = mapped_column(comment="When that one ends.")
    refresh_hash: Mapped[bytes | None] = mapped_column(unique=True, comment="SHA-256 of the refresh token.")
    refresh_expires_at: Mapped[datetime | None] = mapped_column(
        comment="When the user must consent again; before the code is exchanged, when that ends."
    )
    previous_refresh_hash: Mapped[bytes | None] = mapped_column(
        unique=True,
        comment="The refresh token before: good for a moment, so that two refreshes at once both work.",
    )
    rotated_at: Mapped[datetime | None] = mapped_column(comment="When the refresh token was last replaced.")
    last_used_at: Mapped[datetime | None] = mapped_column(comment="Last call or refresh.")
    revoked_at: Mapped[datetime | None] = mapped_column(comment="When the user or a misused token ended it.")

    __table_args__ = (Index("ix_oauth_grants_user_id", "user_id"),)
