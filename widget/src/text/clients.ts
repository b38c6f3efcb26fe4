// What well-known AI clients want to be told to connect, from their own documentation (November 2026).
import { isThisComputer } from "./names";

export interface Step {
  text: string;
  copy?: string;
}

export interface KnownClient {
  name: string;
  /** It connects from its maker's servers, not from this computer. */
  fromTheirServers: boolean;
  steps: Step[];
}

/** Who can reach an address. Only https names with a dot count as the internet: the hosted clients take nothing else. */
export function reach(address: string): "this computer" | "this network" | "internet" {
  const { protocol, hostname, host } = new URL(address);
  if (isThisComputer(host) || hostname.endsWith(".localhost")) return "this computer";
  const isPrivate = /^(10|192\.168|172\.(1[6-9]|2\d|3[01])|169\.254)\./.test(hostname) || /\.(local|internal|lan)$/.test(hostname);
  return protocol === "https:" && hostname.includes(".") && !isPrivate ? "internet" : "this network";
}

export function clientsFor(address: string): KnownClient[] {
  const pretty = (value: unknown): string => JSON.stringify(value, null, 2);
  return [
    {
      name: "Claude (web, desktop, phone)",
      fromTheirServers: true,
      steps: [
        { text: "Open Settings, then Connectors, and choose “Add custom connector”." },
        { text: "Give it a name and this address:", copy: address },
        { text: "Choose Connect and sign in here." },
      ],
    },
    {
      name: "Claude Code",
      fromTheirServers: false,
      steps: [
        { text: "Run this in a terminal:", copy: `claude mcp add --transport http lyceum ${address}` },
        { text: "Start claude, type /mcp, choose lyceum and sign in." },
      ],
    },
    {
      name: "ChatGPT",
      fromTheirServers: true,
      steps: [
        { text: "Turn on developer mode in the advanced settings of Apps & Connectors (not every plan has it)." },
        { text: "Choose Create, and give it a name, OAuth, and this address:", copy: address },
      ],
    },
    {
      name: "VS Code",
      fromTheirServers: false,
      steps: [
        { text: "Put this into .vscode/mcp.json of a folder, or run “MCP: Open User Configuration”:", copy: pretty({ servers: { lyceum: { type: "http", url: address } } }) },
        { text: "Choose Start above the entry and sign in." },
      ],
    },
    {
      name: "Cursor",
      fromTheirServers: false,
      steps: [
        { text: "Put this into ~/.cursor/mcp.json (or .cursor/mcp.json of a project):", copy: pretty({ mcpServers: { lyceum: { url: address } } }) },
        { text: "Turn it on in Cursor's MCP settings and sign in." },
      ],
    },
    {
      name: "Any other client",
      fromTheirServers: false,
      steps: [
        { text: "It needs “streamable HTTP” and this address:", copy: address },
        { text: "If it cannot open a browser to sign in, make an API key below and have it send this header:", copy: "Authorization: Bearer YOUR_KEY" },
      ],
    },
  ];
}
