// The page /connect: who asks for access, where it lives, what it may do, and the person's yes or no.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ConsentRequest, ScopeOffer } from "../api/connections";
import { useApp } from "../state/app";
import type { ConsentState, ConsentView } from "../state/consent";
import { type Destination, destination, hostOf, plainName } from "../text/names";
import { grouped } from "../text/permissions";
import { Icon, Mark } from "./icons";

export function Consent({ consent }: { consent: ConsentState }) {
  const view = consent.view.value;
  return (
    <main class="login consent" aria-busy={view.phase === "loading"}>
      <Phase consent={consent} view={view} />
    </main>
  );
}

function Phase({ consent, view }: { consent: ConsentState; view: ConsentView }) {
  switch (view.phase) {
    case "loading":
      return <p class="activity">Looking up who asks…</p>;
    case "asked":
      return <Question consent={consent} request={view.request} />;
    case "left":
      return <Left view={view} />;
    case "gone":
    case "failed":
      return <Refusal consent={consent} gone={view.phase === "gone"} sentence={view.sentence} />;
  }
}

function Question({ consent, request }: { consent: ConsentState; request: ConsentRequest }) {
  const heading = useHeading();
  const name = plainName(request.client_name);
  return (
    <div class="consent-card" data-testid="consent">
      <header>
        <Mark size={36} />
        <h1 tabIndex={-1} ref={heading}>
          Connect <bdi data-testid="consent-name">{name}</bdi> to Lyceum?
        </h1>
      </header>
      <Identity request={request} />
      <Permissions consent={consent} scopes={request.scopes} />
      <Answer consent={consent} name={name} total={request.scopes.length} />
    </div>
  );
}

/** Only what was checked stands here as a fact; what the client says of itself is called so. */
function Identity({ request }: { request: ConsentRequest }) {
  const app = useApp();
  const session = app.session.value;
  const home = request.registration === "metadata_document" ? hostOf(request.client_id) : null;
  return (
    <>
      {request.registration === "dynamic" && (
        <div class="consent-warning" role="note" data-testid="consent-unverified">
          <Icon name="warn" size={20} />
          <p>
            <strong>Not verified.</strong> It gave itself this name, and anyone could. Go on only if you have just started this
            in an app that you trust.
          </p>
        </div>
      )}
      <dl class="consent-facts">
        <div>
          <dt>Comes from</dt>
          <dd data-testid="consent-origin">
            {request.registration === "dynamic" && "Unknown: it registered itself"}
            {request.registration === "operator" && "Registered by whoever runs this Lyceum"}
            {home && (
              <>
                <strong>
                  <bdi>{home}</bdi>
                </strong>
                , where its description was read
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>Answer goes to</dt>
          <dd data-testid="consent-redirect">
            <Place to={destination(request.redirect_host)} />
          </dd>
        </div>
        {session.state === "in" && (
          <div>
            <dt>Your account</dt>
            <dd>
              <bdi>{session.user.email}</bdi>{" "}
              <button type="button" class="quiet inline" data-testid="consent-switch" onClick={() => void app.leave()}>
                Not you?
              </button>
            </dd>
          </div>
        )}
      </dl>
    </>
  );
}

function Place({ to }: { to: Destination }) {
  if (to.kind === "here") {
    return (
      <>
        A program on <strong>this computer</strong>
      </>
    );
  }
  const name = (
    <strong>
      <bdi>{to.name}</bdi>
    </strong>
  );
  return to.kind === "host" ? name : <>The app on this device that opens {name} addresses</>;
}

function Permissions({ consent, scopes }: { consent: ConsentState; scopes: readonly ScopeOffer[] }) {
  const choose = (label: string, found: readonly ScopeOffer[], hook: string) => (
    <button type="button" class="quiet" data-testid={hook} onClick={() => consent.choose(found.map((one) => one.scope))}>
      {label}
    </button>
  );
  const reading = scopes.filter((one) => !one.is_write);
  const mixed = reading.length > 0 && reading.length < scopes.length;
  return (
    <section aria-labelledby="lyceum-permissions">
      <div class="section-head">
        <h2 id="lyceum-permissions">It may</h2>
        {mixed && choose("Only read", reading, "consent-only-read")}
        {choose("None", [], "consent-none")}
        {choose("All", scopes, "consent-all")}
      </div>
      <div class="permissions">
        {grouped(scopes).map((group) => (
          <fieldset key={group.toolset}>
            <legend>{group.name}</legend>
            {group.items.map((one) => (
              <label key={one.scope} class="permission">
                <input
                  type="checkbox"
                  data-testid={`scope-${one.scope}`}
                  checked={consent.chosen.value.has(one.scope)}
                  onChange={() => consent.toggle(one.scope)}
                />
                <span class="tag" aria-hidden="true">{one.is_write ? "Change" : "Read"}</span>
                <span>{one.title}</span>
              </label>
            ))}
          </fieldset>
        ))}
      </div>
    </section>
  );
}

/** The buttons stay in sight however long the list is. */
function Answer({ consent, name, total }: { consent: ConsentState; name: string; total: number }) {
  const armed = useArmed();
  const count = consent.count.value;
  const busy = consent.sending.value;
  // Not `disabled`: a button that has the focus would lose it.
  const ready = armed && !busy && count > 0;
  return (
    <footer class="consent-answer">
      {consent.error.value && (
        <p class="ending failed" role="alert" data-testid="consent-error">
          <Icon name="warn" size={18} /> <span>{consent.error.value}</span>
        </p>
      )}
      <p class="hint" role="status" id="lyceum-consent-count" data-testid="consent-count">
        {count === 0 ? "Tick at least one to allow." : `${count} of ${total} ${total === 1 ? "permission" : "permissions"}.`}{" "}
        Disconnect it any time in Connections.
      </p>
      <div class="row">
        <button type="button" class="plain" data-testid="consent-cancel" disabled={busy} onClick={() => void consent.answer(false)}>
          Cancel
        </button>
        <button
          type="button"
          class="primary"
          data-testid="consent-allow"
          aria-describedby="lyceum-consent-count"
          aria-label={`Allow ${name}`}
          aria-disabled={!ready}
          onClick={() => {
            if (ready) void consent.answer(true);
          }}
        >
          Allow
        </button>
      </div>
    </footer>
  );
}

function Left({ view }: { view: ConsentView & { phase: "left" } }) {
  const heading = useHeading();
  const name = plainName(view.request.client_name);
  return (
    <div class="unreachable" data-testid="consent-left">
      <Mark size={40} />
      <h1 tabIndex={-1} ref={heading}>
        {view.allowed ? "Allowed" : "Nothing was allowed"}
      </h1>
      <p>
        Going back to <bdi>{name}</bdi>. You can close this page when it is there.
      </p>
      <a class="quiet" href={view.address} data-testid="consent-onward">
        Nothing happens? Go there by hand
      </a>
    </div>
  );
}

function Refusal({ consent, gone, sentence }: { consent: ConsentState; gone: boolean; sentence: string }) {
  const { api } = useApp();
  const heading = useHeading();
  return (
    <div class="unreachable" role="alert" data-testid={gone ? "consent-gone" : "consent-failed"}>
      <Mark size={40} />
      <h1 tabIndex={-1} ref={heading}>
        {gone ? "There is nothing to answer here" : "That did not work"}
      </h1>
      <p>{sentence}</p>
      {gone ? (
        <a class="quiet" href={api.url("/")}>
          Open Lyceum
        </a>
      ) : (
        <button type="button" class="primary" onClick={() => void consent.load()}>
          Try again
        </button>
      )}
    </div>
  );
}

/** The focus goes to the new heading, so that what the page has become is read out. */
function useHeading() {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, []);
  return heading;
}

const ARMING_MS = 600;

/** False for a moment after the page came into sight: another site can open this page under a click that was meant for it
 * (double-clickjacking), and no header keeps it from that. */
function useArmed(): boolean {
  const armed = useSignal(false);
  useEffect(() => {
    let timer = 0;
    const arm = (): void => {
      armed.value = false;
      clearTimeout(timer);
      if (document.visibilityState === "visible") timer = window.setTimeout(() => (armed.value = true), ARMING_MS);
    };
    arm();
    document.addEventListener("visibilitychange", arm);
    window.addEventListener("focus", arm);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", arm);
      window.removeEventListener("focus", arm);
    };
  }, []);
  return armed.value;
}
