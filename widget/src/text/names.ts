// Words that a stranger chose (a client's name, its address), made safe to stand beside our own.

/** Marks that turn the direction of text around, and characters that show nothing: with them a name could look like
 * another one, or write over the words beside it (Unicode TR36 §2, TR9 §2). */
const TRICKS = /[\p{C}\p{Default_Ignorable_Code_Point}\u2800]/gu;
const BLANKS = /[\s\p{Cc}]+/gu;
/** More than three marks on one letter cover the lines around it. */
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu;
const LONGEST = 80;

/** One line of at most 80 characters. */
export function plainName(given: string, otherwise = "An app without a name"): string {
  const cleaned = given.normalize("NFC").replace(BLANKS, " ").replace(TRICKS, "").replace(STACKED_MARKS, "$1").trim();
  const letters = [...cleaned];
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("").trimEnd()}…` : cleaned || otherwise;
}

/** The host of an address as the browser's address bar would show it, foreign letters as `xn--…`; null when it has none. */
export function hostOf(address: string | null): string | null {
  if (!address) return null;
  try {
    return new URL(address).host || null;
  } catch {
    return null;
  }
}

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/;

export function isThisComputer(host: string): boolean {
  return LOOPBACK.test(host);
}

export type Destination = { kind: "host" | "scheme"; name: string } | { kind: "here" };

/** Where a code is sent, by the server's word for it: a host, an app by the scheme of its addresses, or "this computer". */
export function destination(redirectHost: string): Destination {
  if (redirectHost === "this computer" || isThisComputer(redirectHost)) return { kind: "here" };
  const name = plainName(redirectHost, "unknown");
  return redirectHost.endsWith(":") ? { kind: "scheme", name } : { kind: "host", name };
}

/** Schemes that would run something here instead of leaving for the client. */
const HERE = new Set(["javascript:", "data:", "blob:", "file:", "vbscript:", "about:", "view-source:", "filesystem:"]);

/** Whether the browser may be sent to this address. The server has checked it against what the client registered. */
export function mayLeaveFor(address: string): boolean {
  try {
    const { protocol, hostname } = new URL(address);
    if (protocol === "http:" || protocol === "https:") return hostname !== "";
    return !HERE.has(protocol);
  } catch {
    return false;
  }
}
