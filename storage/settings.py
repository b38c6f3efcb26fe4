"""Settings: one typed class, read once from `LYCEUM_*` in the environment or `.env`. Listed in docs/settings.md."""

from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_data_dir() -> Path:
    return platformdirs.user_data_path("lyceum")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="LYCEUM_", env_file=".env", extra="ignore", frozen=True, populate_by_name=True
    )

    data_dir: Path = Field(
        default_factory=default_data_dir, description="The folder that holds all data of the laptop mode."
    )
    host: str = Field(default="127.0.0.1", description="Address that the API listens on.")
    port: int = Field(default=8000, description="Port that the API listens on.")
    public_url: str | None = Field(
        default=None,
        description="The address that browsers and AI clients use, when it is not http://HOST:PORT.",
    )

    database_url: str | None = Field(
        default=None, description="PostgreSQL for the application role. Unset: Lyceum starts its own."
    )
    owner_database_url: str | None = Field(
        default=None,
        description="PostgreSQL for the role that owns the tables; only `lyceum migrate` uses it.",
    )
    redis_url: str | None = Field(default=None, description="Redis or Valkey. Unset: Lyceum starts its own.")
    vector_url: str | None = Field(
        default=None, description="`chroma+http://HOST:PORT`. Unset: Lyceum starts its own."
    )
    files_url: str | None = Field(
        default=None, description="`file:///FOLDER` or `s3://BUCKET`. Unset: a folder in the data folder."
    )

    secret_key: SecretStr | None = Field(
        default=None, description="Signs what clients carry; 32 random bytes or more."
    )
    registration: Literal["open", "invite", "closed"] = Field(
        default="open", description="Who may make an account: open, invite (a login link only), closed."
    )

    model: str = Field(default="auto", description="`builtin`, `auto` or a LangChain `provider:name`.")
    model_base_url: str | None = Field(default=None, description="Base URL of an OpenAI-compatible server.")
    model_api_key: SecretStr | None = Field(default=None, description="API key for the model server.")
    model_tools: Literal["auto", "native", "planned"] = Field(
        default="auto",
        description="How the model calls tools: its own way, by a planned JSON step, or whichever fits.",
    )

    rate_limit_per_user: int = Field(
        default=1200, ge=0, description="Requests that one user may make in any minute; 0 for no limit."
    )
    rate_limit_per_key: int = Field(
        default=600,
        ge=0,
        description="Requests in any minute with one API key that has no limit of its own; 0 for no limit.",
    )
    rate_limit_per_endpoint: int = Field(
        default=600, ge=0, description="Calls of one tool by one user in any minute; 0 for no limit."
    )

    mcp_toolsets: str | None = Field(
        default=None,
        description="Toolsets that MCP clients may use, with commas between; `default` and `all` are words too. Unset: `default`.",
    )
    mcp_tools: str | None = Field(
        default=None,
        description="Single tools for MCP clients beside the toolsets; without toolsets, these alone.",
    )
    mcp_exclude_tools: str | None = Field(default=None, description="Tools that no MCP client gets.")
    mcp_read_only: bool = Field(default=False, description="MCP clients get tools that read, and no other.")
    mcp_class: str | None = Field(
        default=None,
        description="Binds MCP clients to one class, by id or name: tools lose their `class_id`.",
    )

    s3_endpoint: str | None = Field(
        default=None,
        validation_alias=AliasChoices("LYCEUM_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        description="Address of an S3 server other than Amazon's. Unset: `AWS_ENDPOINT_URL`.",
    )
    s3_region: str | None = Field(
        default=None,
        validation_alias=AliasChoices("LYCEUM_S3_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"),
        description="Region of the bucket. Unset: `AWS_REGION`.",
    )
    s3_access_key_id: str | None = Field(
        default=None,
        validation_alias=AliasChoices("LYCEUM_S3_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID"),
        description="Who asks S3. Unset: `AWS_ACCESS_KEY_ID`, or what the machine's role gives.",
    )
    s3_secret_access_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("LYCEUM_S3_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY"),
        description="The secret that belongs to it. Unset: `AWS_SECRET_ACCESS_KEY`.",
    )
    s3_session_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("LYCEUM_S3_SESSION_TOKEN", "AWS_SESSION_TOKEN"),
        description="For credentials that were lent for a while. Unset: `AWS_SESSION_TOKEN`.",
    )
    file_cache_mb: int = Field(
        default=1024, ge=1, description="Local copies of files in S3 that a process keeps, in megabytes."
    )

    embedding_threads: int = Field(default=1, ge=1, description="Threads for one embedding call.")
    speech_model: str | None = Field(
        default=None,
        description="Folder or name of a faster-whisper model. Unset: the one that the extra `speech` installs.",
    )
    summaries: bool = Field(
        default=False,
        description="A language model sums up each passage of new material in a sentence. A local one may compute for hours.",
    )
    max_upload_mb: int = Field(default=2048, ge=1, description="Largest accepted file, in megabytes.")
    quota_mb: int = Field(
        default=20_000,
        ge=0,
        description="Room for one user's files, in megabytes; what was deleted may fill as much again. 0 for no limit.",
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @property
    def base_url(self) -> str:
        """Where a browser reaches this server, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")
