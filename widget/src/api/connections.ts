// Shapes of connected clients, API keys and the consent page.

export interface ScopeOffer {
  scope: string;
  /** What it allows, in plain words. */
  title: string;
  is_write: boolean;
}

/** A client that waits for an answer. Its name is its own word; its addresses are checked. */
export interface ConsentRequest {
  client_name: string;
  client_id: string;
  client_uri: string | null;
  /** Where the answer goes: a host, "this computer", or the scheme of an app with its colon. */
  redirect_host: string;
  registration: "dynamic" | "metadata_document" | "operator";
  scopes: ScopeOffer[];
  resource: string;
  expires_at: string;
}

export interface ConnectedClient {
  client_id: string;
  name: string;
  /** Host of its description, where it has one that was read there. */
  home?: string | null;
  redirect_host: string | null;
  registration: ConsentRequest["registration"];
  scopes: string[];
  created_at: string;
  last_used_at: string | null;
  /** How often it is connected: on two laptops, for instance. */
  connections: number;
}

export interface KeyItem {
  id: string;
  name: string;
  /** First characters, to recognise it. */
  prefix: string;
  scopes: string[];
  /** Calls a minute; null for the general limit. */
  rate_limit: number | null;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

export interface CreatedKey extends KeyItem {
  key: string;
}
