// Days as people say them, in the browser's language for the date itself.

const DAY_MS = 86_400_000;

export function day(iso: string): string {
  return new Date(iso).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}

function daysBefore(iso: string, now: Date): number {
  const midnight = (moment: Date): number => Date.UTC(moment.getFullYear(), moment.getMonth(), moment.getDate());
  return Math.round((midnight(now) - midnight(new Date(iso))) / DAY_MS);
}

export function lastUse(iso: string | null, now = new Date()): string {
  if (!iso) return "Never used";
  const days = daysBefore(iso, now);
  if (days <= 0) return "Last used today";
  return days === 1 ? "Last used yesterday" : `Last used ${day(iso)}`;
}

export function expiry(iso: string | null, now = new Date()): string {
  if (!iso) return "Works until you revoke it";
  if (new Date(iso) <= now) return "Expired";
  const days = -daysBefore(iso, now);
  if (days <= 0) return "Expires today";
  return days === 1 ? "Expires tomorrow" : `Expires ${day(iso)}`;
}
