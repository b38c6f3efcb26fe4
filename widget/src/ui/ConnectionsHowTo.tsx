// How to connect: the address of this server's MCP endpoint, and what well-known clients want to be told.
import type { ComponentChildren } from "preact";
import { useApp } from "../state/app";
import { clientsFor, reach } from "../text/clients";
import { CopyLine } from "./CopyLine";
import { Icon } from "./icons";

export function HowToConnect() {
  const { connections } = useApp();
  const address = connections.address.value;
  if (!address) return null;
  const near = reach(address) !== "internet";
  return (
    <section aria-labelledby="lyceum-how-to">
      <h3 id="lyceum-how-to">Connect an app</h3>
      <p>Give it this address. It opens this site, where you sign in and decide what it may do.</p>
      <CopyLine text={address} label="Address for AI apps" testid="mcp-address" />
      <div class="how-to">
        {clientsFor(address).map((client) => (
          <details key={client.name} name="lyceum-how-to">
            <summary>{client.name}</summary>
            {client.fromTheirServers && near && (
              <Unreachable>
                It connects from servers on the internet, which cannot reach this address. Lyceum must run at a public https
                address for that.
              </Unreachable>
            )}
            <ol>
              {client.steps.map((step) => (
                <li key={step.text}>
                  {step.text}
                  {step.copy && <CopyLine text={step.copy} label={`${client.name}: ${step.text}`} testid="how-to-snippet" />}
                </li>
              ))}
            </ol>
          </details>
        ))}
      </div>
    </section>
  );
}

function Unreachable({ children }: { children: ComponentChildren }) {
  return (
    <p class="consent-warning">
      <Icon name="warn" size={20} />
      <span>{children}</span>
    </p>
  );
}
