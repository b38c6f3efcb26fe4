// Scopes in plain words: `flashcards:write` is "change flashcards". What each allows in a sentence, the server says.

const NAMES: Record<string, string> = {
  "*": "Everything",
  account: "Your account",
  assignments: "Assignments",
  classes: "Classes",
  collections: "Search index",
  conversations: "Conversations",
  courses: "Courses",
  data: "Database",
  documents: "Sheets and guides",
  flashcards: "Flashcards",
  jobs: "Work under way",
  materials: "Material",
  notes: "Notes",
  progress: "Progress",
  search: "Search",
  sharing: "Sharing",
  tests: "Tests",
};

export function toolsetOf(scope: string): string {
  return scope.split(":")[0] ?? scope;
}

export function isWrite(scope: string): boolean {
  return !scope.endsWith(":read");
}

export function toolsetName(toolset: string): string {
  const known = Object.hasOwn(NAMES, toolset) ? NAMES[toolset] : undefined;
  return known ?? (toolset.charAt(0).toUpperCase() + toolset.slice(1)).replaceAll("_", " ");
}

export interface Group<T> {
  toolset: string;
  name: string;
  items: T[];
}

/** By toolset in the order given; of one toolset, reading before changing. */
export function grouped<T extends { scope: string }>(items: readonly T[]): Group<T>[] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(toolsetOf(item.scope), [...(groups.get(toolsetOf(item.scope)) ?? []), item]);
  return [...groups].map(([toolset, found]) => ({
    toolset,
    name: toolsetName(toolset),
    items: found.sort((a, b) => Number(isWrite(a.scope)) - Number(isWrite(b.scope))),
  }));
}

/** "Read everything", or "Read classes, notes. Change notes." Several scopes of one kind are one list. */
export function summary(scopes: readonly string[]): string {
  if (scopes.includes("*")) return "Read and change everything";
  const list = (write: boolean): string[] =>
    scopes.filter((scope) => isWrite(scope) === write && toolsetOf(scope) !== "*").map((scope) => lower(toolsetName(toolsetOf(scope))));
  const parts = [
    ...verb("Read", scopes.includes("*:read") ? ["everything"] : list(false)),
    ...verb("Change", scopes.includes("*:write") ? ["everything"] : list(true)),
  ];
  return parts.join(". ") || "Nothing";
}

function verb(word: string, things: string[]): string[] {
  return things.length > 0 ? [`${word} ${things.sort().join(", ")}`] : [];
}

function lower(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
