// What may use the account from outside of this page: how to connect an AI client, the connected ones, and API keys.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ConnectedClient } from "../api/connections";
import { useApp } from "../state/app";
import { day, lastUse } from "../text/dates";
import { destination, plainName } from "../text/names";
import { summary } from "../text/permissions";
import { Confirm } from "./Confirm";
import { ConnectionKeys } from "./ConnectionsKeys";
import { HowToConnect } from "./ConnectionsHowTo";
import { Pane } from "./Pane";

export function ConnectionsPane() {
  const { connections } = useApp();
  useEffect(() => void connections.load(), []);
  return (
    <Pane kind="connections" title="Connections" keepsEscape={connections.made.value !== null}>
      <p class="lead">
        AI apps such as Claude, ChatGPT or an editor can use your material here: search it, quiz you, plan your week. You decide
        which, and what each may do.
      </p>
      <Clients />
      <HowToConnect />
      <ConnectionKeys />
    </Pane>
  );
}

function Clients() {
  const { connections } = useApp();
  const clients = connections.clients.value;
  return (
    <section aria-labelledby="lyceum-clients">
      <h3 id="lyceum-clients">Connected apps</h3>
      {clients === null && <p class="activity">Loading…</p>}
      {clients?.length === 0 && <p class="empty">None yet. An app appears here once you have allowed it.</p>}
      <ul class="grants">
        {clients?.map((client) => (
          <ClientRow key={client.client_id} client={client} />
        ))}
      </ul>
    </section>
  );
}

function ClientRow({ client }: { client: ConnectedClient }) {
  const { connections } = useApp();
  const asking = useSignal(false);
  const name = plainName(client.name);
  return (
    <li data-testid="connected-client">
      <div class="grant">
        <p class="name">
          <bdi>{name}</bdi>
          {client.registration === "dynamic" && <span class="tag">not verified</span>}
        </p>
        <p class="what">{summary(client.scopes)}</p>
        <p class="when">
          {place(client)}Since {day(client.created_at)}
          {client.connections > 1 && `, ${client.connections} times`}. {lastUse(client.last_used_at)}.
        </p>
      </div>
      <button
        type="button"
        class="plain"
        data-testid="disconnect"
        aria-label={`Disconnect ${name}`}
        onClick={() => (asking.value = true)}
      >
        Disconnect
      </button>
      {asking.value && (
        <Confirm
          title={`Disconnect “${name}”?`}
          text="It can do nothing here from this moment on. To use it again, connect it again."
          action="Disconnect"
          onClose={(confirmed) => {
            asking.value = false;
            if (confirmed) void connections.disconnect(client);
          }}
        />
      )}
    </li>
  );
}

/** Where it lives, as far as that was checked. */
function place(client: ConnectedClient): string {
  const to = destination(client.redirect_host ?? "this computer");
  const name = client.home ? plainName(client.home) : to.kind === "here" ? "A program on your computer" : to.name;
  return `${name}. `;
}
