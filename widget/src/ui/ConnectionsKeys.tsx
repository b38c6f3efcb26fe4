// API keys: for programs that cannot open a browser. The key itself is shown once.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { CreatedKey, KeyItem } from "../api/connections";
import { useApp } from "../state/app";
import { day, expiry, lastUse } from "../text/dates";
import { grouped, isWrite, summary } from "../text/permissions";
import { Confirm } from "./Confirm";
import { CopyLine } from "./CopyLine";
import { Icon } from "./icons";
import { NewButton } from "./Made";

export function ConnectionKeys() {
  const { connections } = useApp();
  const making = useSignal(false);
  const keys = connections.keys.value;
  const made = connections.made.value;
  return (
    <section aria-labelledby="lyceum-keys">
      <div class="section-head">
        <h3 id="lyceum-keys">API keys</h3>
        <NewButton what="key" expanded={making.value} onClick={() => (making.value = !making.value)} />
      </div>
      <p class="empty">For scripts and clients that cannot open a browser. They send the key as a bearer token.</p>
      {making.value && <KeyForm onDone={() => (making.value = false)} />}
      {made && <NewKey made={made} />}
      {keys === null && <p class="activity">Loading…</p>}
      <ul class="grants">
        {keys?.map((key) => (
          <KeyRow key={key.id} item={key} />
        ))}
      </ul>
    </section>
  );
}

function NewKey({ made }: { made: CreatedKey }) {
  const { connections } = useApp();
  const heading = useRef<HTMLParagraphElement>(null);
  useEffect(() => heading.current?.focus(), [made]);
  return (
    <div class="new-key" data-testid="new-key-shown">
      <p tabIndex={-1} ref={heading}>
        <strong>Copy the key “{made.name}” now.</strong> It is not shown again.
      </p>
      <CopyLine text={made.key} label="API key" testid="key-secret" />
      <button type="button" class="quiet" data-testid="key-done" onClick={() => (connections.made.value = null)}>
        I have it
      </button>
    </div>
  );
}

function KeyRow({ item }: { item: KeyItem }) {
  const { connections } = useApp();
  const asking = useSignal(false);
  const ended = item.expires_at !== null && new Date(item.expires_at) <= new Date();
  return (
    <li data-testid="api-key">
      <div class="grant">
        <p class="name">
          {item.name} <code>{item.prefix}…</code>
        </p>
        <p class="what">
          {summary(item.scopes)}
          {item.rate_limit !== null && `, at most ${item.rate_limit} ${item.rate_limit === 1 ? "call" : "calls"} a minute`}
        </p>
        <p class="when">
          Made {day(item.created_at)}. {lastUse(item.last_used_at)}. <span class={ended ? "bad" : ""}>{expiry(item.expires_at)}</span>.
        </p>
      </div>
      <button
        type="button"
        class="plain"
        data-testid="revoke-key"
        aria-label={`Revoke the key ${item.name}`}
        onClick={() => (asking.value = true)}
      >
        Revoke
      </button>
      {asking.value && (
        <Confirm
          title={`Revoke “${item.name}”?`}
          text="Programs that use this key stop working at once. It cannot be brought back; a new key can be made."
          action="Revoke key"
          onClose={(confirmed) => {
            asking.value = false;
            if (confirmed) void connections.revoke(item);
          }}
        />
      )}
    </li>
  );
}

type Access = "*:read" | "*" | "chosen";

const ACCESS: [Access, string][] = [
  ["*:read", "Read everything"],
  ["*", "Read and change everything"],
  ["chosen", "Only what I choose"],
];
const LIVES: [number | null, string][] = [
  [30, "30 days"],
  [90, "90 days"],
  [365, "A year"],
  [null, "No end"],
];

function KeyForm({ onDone }: { onDone: () => void }) {
  const { connections } = useApp();
  const access = useSignal<Access>("*:read");
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const busy = useSignal(false);
  const name = useRef<HTMLInputElement>(null);
  useEffect(() => name.current?.focus(), []);
  const scopes = access.value === "chosen" ? [...chosen.value] : [access.value];
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (busy.value || scopes.length === 0) return;
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const number = (field: string): number | null => Number(fields.get(field)) || null;
    busy.value = true;
    const args = { name: String(fields.get("name")).trim(), scopes, days: number("days"), rate_limit: number("rate_limit") };
    if (await connections.make(args)) onDone();
    busy.value = false;
  };
  return (
    <form
      class="text-form key-form"
      data-testid="key-form"
      onSubmit={(event) => void submit(event)}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onDone();
      }}
    >
      <label for="lyceum-key-name">What it is for</label>
      <input id="lyceum-key-name" name="name" ref={name} required maxLength={100} autocomplete="off" placeholder="Backup script" data-testid="key-name" />
      <fieldset>
        <legend>It may</legend>
        {ACCESS.map(([value, label]) => (
          <label key={value} class="permission">
            <input
              type="radio"
              name="access"
              value={value}
              checked={access.value === value}
              data-testid={`key-access-${value}`}
              onChange={() => {
                access.value = value;
                if (value === "chosen") void connections.loadScopes();
              }}
            />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      {access.value === "chosen" && <ScopeTable chosen={chosen.value} onChange={(scopes) => (chosen.value = scopes)} />}
      <div class="pair">
        <div>
          <label for="lyceum-key-days">It works for</label>
          <select id="lyceum-key-days" name="days" data-testid="key-days">
            {LIVES.map(([days, label]) => (
              <option key={label} value={days ?? ""} selected={days === 90}>
                {label}
              </option>
            ))}
          </select>
        </div>
        <div>
          <label for="lyceum-key-rate">Calls a minute</label>
          <input id="lyceum-key-rate" name="rate_limit" type="number" min={1} max={100000} placeholder="As usual" data-testid="key-rate" />
        </div>
      </div>
      <div class="row end">
        <button type="button" class="quiet" onClick={onDone}>
          Cancel
        </button>
        <button type="submit" class="primary" disabled={busy.value || scopes.length === 0} data-testid="key-make">
          <Icon name="key" size={18} /> Make key
        </button>
      </div>
    </form>
  );
}

/** A row a toolset, a column for reading and one for changing. */
function ScopeTable({ chosen, onChange }: { chosen: ReadonlySet<string>; onChange: (scopes: ReadonlySet<string>) => void }) {
  const { connections } = useApp();
  const all = connections.scopes.value;
  if (!all) return <p class="activity">Loading…</p>;
  const flip = (scope: string): void => {
    const next = new Set(chosen);
    if (!next.delete(scope)) next.add(scope);
    onChange(next);
  };
  return (
    <table class="scopes">
      <thead>
        <tr>
          <th scope="col">Area</th>
          <th scope="col">Read</th>
          <th scope="col">Change</th>
        </tr>
      </thead>
      <tbody>
        {grouped(all.map((scope) => ({ scope }))).map((group) => (
          <tr key={group.toolset}>
            <th scope="row">{group.name}</th>
            {[false, true].map((write) => {
              const scope = group.items.find((one) => isWrite(one.scope) === write)?.scope;
              return (
                <td key={String(write)}>
                  {scope && (
                    <input
                      type="checkbox"
                      aria-label={`${write ? "Change" : "Read"}: ${group.name}`}
                      data-testid={`key-scope-${scope}`}
                      checked={chosen.has(scope)}
                      onChange={() => flip(scope)}
                    />
                  )}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
