// What may use the account from outside: connected clients and API keys; and the address that clients are given.
import { signal } from "@preact/signals";
import type { ConnectedClient, CreatedKey, KeyItem } from "../api/connections";
import type { Page } from "../api/types";
import type { App } from "./app";

export class ConnectionsState {
  readonly clients = signal<readonly ConnectedClient[] | null>(null);
  readonly keys = signal<readonly KeyItem[] | null>(null);
  /** Shown once, until it is put away. */
  readonly made = signal<CreatedKey | null>(null);
  readonly address = signal<string | null>(null);
  /** Every `toolset:read` and `toolset:write` of this server, asked for when someone wants to choose. */
  readonly scopes = signal<readonly string[] | null>(null);

  constructor(private readonly app: App) {}

  clear(): void {
    this.clients.value = null;
    this.keys.value = null;
    this.made.value = null;
    this.scopes.value = null;
  }

  show(opener: HTMLElement | null = null): void {
    this.app.pane.show("connections", opener);
  }

  async load(): Promise<void> {
    await Promise.all([this.loadClients(), this.loadKeys(), this.loadAddress()]);
  }

  async loadScopes(): Promise<void> {
    if (this.scopes.value) return;
    const tools = await this.app.try(async () => {
      const response = await this.app.api.request("/api/tools");
      return (await response.json()) as Page<{ scope: string }>;
    });
    if (tools) this.scopes.value = [...new Set(tools.items.map((one) => one.scope))];
  }

  async disconnect(client: ConnectedClient): Promise<void> {
    await this.end("disconnect_client", { client_id: client.client_id }, () => this.loadClients());
  }

  async revoke(key: KeyItem): Promise<void> {
    await this.end("revoke_api_key", { key_id: key.id }, () => this.loadKeys());
  }

  async make(fields: Record<string, unknown>): Promise<boolean> {
    const made = await this.app.try(() => this.app.api.tool<CreatedKey>("create_api_key", fields));
    if (!made) return false;
    this.made.value = made;
    await this.loadKeys();
    return true;
  }

  private async end(tool: string, args: Record<string, unknown>, reload: () => Promise<void>): Promise<void> {
    await this.app.try(() => this.app.api.tool(tool, args));
    await reload();
  }

  private async loadClients(): Promise<void> {
    const found = await this.app.try(() => this.app.api.tool<Page<ConnectedClient>>("list_connected_clients", {}));
    this.clients.value = found?.items ?? this.clients.value ?? [];
  }

  private async loadKeys(): Promise<void> {
    const found = await this.app.try(() => this.app.api.tool<Page<KeyItem>>("list_api_keys", {}));
    this.keys.value = found?.items ?? this.keys.value ?? [];
  }

  /** As the server names itself to clients (RFC 9728): they compare it letter by letter with the one they were given. */
  private async loadAddress(): Promise<void> {
    if (this.address.value) return;
    const { api } = this.app;
    try {
      const response = await api.request("/.well-known/oauth-protected-resource/mcp");
      this.address.value = ((await response.json()) as { resource: string }).resource;
    } catch {
      this.address.value = api.url("/mcp");
    }
  }
}
