// Signing in, or making an account where the server lets people do so.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { sentenceOf } from "../api/http";
import type { Registration } from "../api/types";
import { useApp } from "../state/app";
import { Icon, Mark } from "./icons";

/** `connecting`: somebody came here to connect an AI client, and goes on with that once signed in. */
export function Login({ registration, connecting = false }: { registration: Registration; connecting?: boolean }) {
  const app = useApp();
  useSignInElsewhere(connecting);
  const joining = useSignal(false);
  const error = useSignal<string | null>(null);
  const busy = useSignal(false);
  const register = joining.value && registration === "open";
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const fields = Object.fromEntries([...form].map(([key, value]) => [key, String(value)]));
    busy.value = true;
    error.value = null;
    try {
      await app.enter(register ? "register" : "login", fields);
    } catch (failure) {
      error.value = sentenceOf(failure);
    }
    busy.value = false;
  };
  return (
    <main class="login">
      <form onSubmit={(event) => void submit(event)} data-testid="login-form" aria-labelledby="lyceum-login">
        <Mark size={40} />
        <h1 id="lyceum-login">{register ? "Create your account" : "Sign in to Lyceum"}</h1>
        {connecting && (
          <p class="empty" data-testid="login-reason">
            An app wants to be connected. Who it is and what it may do is asked next.
          </p>
        )}
        {register && (
          <Field name="name" label="Name">
            <input id="lyceum-name" name="name" type="text" autocomplete="name" required data-testid="login-name" />
          </Field>
        )}
        <Field name="email" label="E-mail">
          <input id="lyceum-email" name="email" type="email" autocomplete="username" required data-testid="login-email" />
        </Field>
        <Field name="password" label="Password">
          <input
            id="lyceum-password"
            name="password"
            type="password"
            autocomplete={register ? "new-password" : "current-password"}
            required
            data-testid="login-password"
          />
        </Field>
        {error.value && (
          <p class="ending failed" role="alert" data-testid="login-error">
            <Icon name="warn" size={18} /> <span>{error.value}</span>
          </p>
        )}
        <button type="submit" class="primary wide" disabled={busy.value} data-testid="login-submit">
          {register ? "Create account" : "Sign in"}
        </button>
        {registration === "open" && (
          <button
            type="button"
            class="quiet wide"
            data-testid="login-switch"
            onClick={() => {
              joining.value = !joining.value;
              error.value = null;
            }}
          >
            {register ? "I have an account already" : "Create an account"}
          </button>
        )}
        {registration === "invite" && <p class="empty">New accounts are by invitation.</p>}
        <p class="empty">On your own computer, the one-time link that Lyceum printed when it started signs you in.</p>
      </form>
    </main>
  );
}

/** The one-time link signs in on another tab of this browser: this one notices when the person comes back to it. */
function useSignInElsewhere(watching: boolean): void {
  const app = useApp();
  useEffect(() => {
    if (!watching) return undefined;
    const look = (): void => {
      if (document.visibilityState === "visible") void app.noticeSignIn();
    };
    document.addEventListener("visibilitychange", look);
    window.addEventListener("focus", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      window.removeEventListener("focus", look);
    };
  }, [watching]);
}

function Field({ name, label, children }: { name: string; label: string; children: ComponentChildren }) {
  return (
    <div class="login-field">
      <label for={`lyceum-${name}`}>{label}</label>
      {children}
    </div>
  );
}
