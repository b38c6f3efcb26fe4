// A small client that shows MCP Apps, for the browser tests: ext-apps' own AppBridge around a frame of another origin, which
// holds the page in a sandbox of its own. The MCP connection is the test's: `window.mcp` forwards a request to it.
import { AppBridge, buildAllowAttribute, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";
import type { McpUiHostContext, McpUiResourceCsp, McpUiResourceMeta } from "@modelcontextprotocol/ext-apps";
import type { CallToolResult, ReadResourceResult } from "@modelcontextprotocol/client";

interface Wanted {
  tool: string;
  arguments: Record<string, unknown>;
  result: CallToolResult;
  page: ReadResourceResult;
  context: McpUiHostContext;
  /** Capabilities that this client does without. */
  without: string[];
}

declare global {
  interface Window {
    mcp: (method: string, params: unknown) => Promise<never>;
    sandbox: string;
    show: (wanted: Wanted) => Promise<void>;
    change: (context: McpUiHostContext) => void;
    teardown: () => Promise<void>;
    /** What the page asked the client for, in order. */
    asked: { what: string; value: unknown }[];
  }
}

let bridge: AppBridge | null = null;
window.asked = [];

window.show = async (wanted) => {
  document.querySelector("iframe")?.remove();
  const [content] = wanted.page.contents;
  if (!content || !("text" in content)) throw new Error("the page is no text");
  const { csp, permissions } = (content._meta?.["ui"] ?? {}) as McpUiResourceMeta;
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts allow-same-origin");
  frame.setAttribute("allow", buildAllowAttribute(permissions));
  const ready = new Promise<void>((resolve) =>
    addEventListener("message", (event) => {
      if (event.source === frame.contentWindow && event.data?.method === "ui/notifications/sandbox-proxy-ready") resolve();
    }),
  );
  frame.src = `${window.sandbox}?csp=${encodeURIComponent(JSON.stringify(csp ?? ({} satisfies McpUiResourceCsp)))}`;
  document.body.append(frame);
  await ready;
  const can = { openLinks: {}, serverTools: {}, serverResources: {}, logging: {}, updateModelContext: { text: {} } };
  const capabilities = Object.fromEntries(Object.entries(can).filter(([name]) => !wanted.without.includes(name)));
  const own = new AppBridge(null, { name: "test-host", version: "1.0.0" }, capabilities, { hostContext: wanted.context });
  bridge = own;
  own.oncalltool = (params) => window.mcp("tools/call", params);
  own.onreadresource = (params) => window.mcp("resources/read", params);
  own.onopenlink = async ({ url }) => (window.asked.push({ what: "open-link", value: url }), {});
  own.onupdatemodelcontext = async (params) => (window.asked.push({ what: "model-context", value: params }), {});
  own.onrequestdisplaymode = async ({ mode }) => {
    window.asked.push({ what: "display-mode", value: mode });
    window.change({ ...wanted.context, displayMode: mode });
    return { mode };
  };
  own.onsizechange = ({ height }) => {
    if (height !== undefined) frame.style.height = `${height}px`;
  };
  const initialized = new Promise<void>((resolve) => (own.oninitialized = () => resolve()));
  const target = frame.contentWindow as Window;
  await own.connect(new PostMessageTransport(target, target));
  await own.sendSandboxResourceReady({ html: content.text, ...(csp ? { csp } : {}) });
  await initialized;
  await own.sendToolInput({ arguments: wanted.arguments });
  await own.sendToolResult(wanted.result);
};

window.change = (context) => bridge?.setHostContext(context);

window.teardown = async () => {
  await bridge?.teardownResource({});
  document.querySelector("iframe")?.remove();
};
