// The page's side of MCP Apps (SEP-1865, protocol 2026-01-26): JSON-RPC 2.0 over postMessage with the host that holds the
// page. The `App` class of ext-apps 2.0.4 does the same in 233 kB, twice a page of ours; its types keep this file to the protocol.
import type { CallToolResult, ReadResourceResult } from "@modelcontextprotocol/client";
import type {
  McpUiDisplayMode,
  McpUiHostCapabilities,
  McpUiHostContext,
  McpUiInitializeRequest,
  McpUiInitializeResult,
} from "@modelcontextprotocol/ext-apps";

export const PROTOCOL = "2026-01-26";
const UNKNOWN_METHOD = -32601;
/** A host that asks the person first may take its time; one that never answers must not leave the page waiting. */
const PATIENCE_MS = 120_000;

export type Arguments = Record<string, unknown>;

/** Why something could not be done, as a sentence, with the server's stable code when it has one. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly code: string | null = null,
  ) {
    super(message);
  }
}

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (refusal: Refusal) => void;
}

interface Message {
  jsonrpc?: unknown;
  id?: unknown;
  method?: unknown;
  params?: unknown;
  result?: unknown;
  error?: { code?: number; message?: string };
}

export interface Listeners {
  input: (args: Arguments) => void;
  result: (result: CallToolResult) => void;
  cancelled: (reason: string) => void;
  context: (context: McpUiHostContext) => void;
  /** Before the page is taken away; what it returns is waited for. */
  teardown: () => Promise<void>;
}

export class Host {
  context: McpUiHostContext = {};
  can: McpUiHostCapabilities = {};
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  constructor(
    private readonly name: string,
    private readonly on: Listeners,
  ) {}

  /** Shakes hands; results may come from then on. */
  async connect(): Promise<void> {
    addEventListener("message", (event) => {
      if (event.source === parent && isMessage(event.data)) void this.take(event.data);
    });
    const hello: McpUiInitializeRequest["params"] = {
      appInfo: { name: `lyceum-${this.name}`, title: "Lyceum", version: "1.0.0" },
      appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
      protocolVersion: PROTOCOL,
    };
    const found = (await this.request("ui/initialize", hello)) as McpUiInitializeResult;
    this.can = found.hostCapabilities ?? {};
    this.changeContext(found.hostContext ?? {});
    this.notify("ui/notifications/initialized", {});
    this.tellSize();
  }

  /** The answer's data. Throws a Refusal with the sentence that the server gave. */
  async call(tool: string, args: Arguments): Promise<CallToolResult> {
    if (!this.can.serverTools) throw new Refusal("This app does not let the page reach Lyceum. Go on in the conversation.");
    const result = (await this.request("tools/call", { name: tool, arguments: args })) as CallToolResult;
    if (result.isError) throw refusalOf(result);
    return result;
  }

  async read(uri: string): Promise<ReadResourceResult> {
    if (!this.can.serverResources) throw new Refusal("This app does not show pages of your material here.");
    return (await this.request("resources/read", { uri })) as ReadResourceResult;
  }

  async open(url: string): Promise<void> {
    const done = (await this.request("ui/open-link", { url })) as { isError?: boolean };
    if (done.isError) throw new Refusal("The link was not opened.");
  }

  async showAs(mode: McpUiDisplayMode): Promise<void> {
    await this.request("ui/request-display-mode", { mode });
  }

  /** What the model is told with the person's next message; the newest replaces what was told before. */
  async tellModel(text: string): Promise<void> {
    if (!this.can.updateModelContext) return;
    await this.request("ui/update-model-context", { content: [{ type: "text", text }] }).catch(() => undefined);
  }

  private request(method: string, params: unknown): Promise<unknown> {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Refusal("No answer came. Try it once more."));
      }, PATIENCE_MS);
      const settle = <T>(done: (value: T) => void) => (value: T): void => {
        clearTimeout(late);
        done(value);
      };
      this.waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.post({ id, method, params });
    });
  }

  private notify(method: string, params: unknown): void {
    this.post({ method, params });
  }

  /** To any origin: a page in a sandbox cannot know its host's, and what it says is for that window alone. */
  private post(message: object): void {
    parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }

  private async take(message: Message): Promise<void> {
    if (typeof message.method !== "string") return this.settle(message);
    const params = (message.params ?? {}) as Record<string, unknown>;
    if (message.id === undefined) return this.notice(message.method, params);
    if (message.method === "ui/resource-teardown") {
      await this.on.teardown().catch(() => undefined);
      this.post({ id: message.id, result: {} });
    } else if (message.method === "ping") {
      this.post({ id: message.id, result: {} });
    } else {
      this.post({ id: message.id, error: { code: UNKNOWN_METHOD, message: "This page does not know the method." } });
    }
  }

  private settle(message: Message): void {
    const waiting = this.waiting.get(message.id as number);
    if (!waiting) return;
    this.waiting.delete(message.id as number);
    if (message.error) waiting.reject(new Refusal(message.error.message ?? "It did not work."));
    else waiting.resolve(message.result ?? {});
  }

  private notice(method: string, params: Record<string, unknown>): void {
    switch (method) {
      case "ui/notifications/tool-input":
        return this.on.input((params["arguments"] ?? {}) as Arguments);
      case "ui/notifications/tool-result":
        return this.on.result(params as unknown as CallToolResult);
      case "ui/notifications/tool-cancelled":
        return this.on.cancelled(String(params["reason"] ?? ""));
      case "ui/notifications/host-context-changed":
        return this.changeContext(params as McpUiHostContext);
    }
  }

  private changeContext(change: McpUiHostContext): void {
    this.context = { ...this.context, ...change };
    this.on.context(this.context);
  }

  /** The height of the content, now and whenever it changes, so that the host's frame fits. */
  private tellSize(): void {
    let told = 0;
    const tell = (): void => {
      const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
      if (height === told) return;
      told = height;
      this.notify("ui/notifications/size-changed", { width: innerWidth, height });
    };
    new ResizeObserver(tell).observe(document.documentElement);
    tell();
  }
}

function isMessage(data: unknown): data is Message {
  return typeof data === "object" && data !== null && (data as Message).jsonrpc === "2.0";
}

/** Our server names the error in `_meta` and closes its sentence with the code in brackets. */
export function refusalOf(result: CallToolResult): Refusal {
  const said = result.content?.find((block) => block.type === "text");
  const found = /^([\s\S]*?)\s*\[([a-z_]+)\]\s*$/.exec(said?.type === "text" ? said.text : "");
  const meta = result._meta?.["lyceum/error"] as { code?: string } | undefined;
  return new Refusal(found?.[1] ?? (said?.type === "text" ? said.text : "It did not work."), meta?.code ?? found?.[2] ?? null);
}
