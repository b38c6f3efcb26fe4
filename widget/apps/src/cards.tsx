// Reviews the cards that are due: front, back, how it went; each rating is stored before the next card comes.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type DueCard, type DueCards, type DueCounts, dueNow, type Rating, type Reviewed } from "../../src/api/study";
import type { Arguments } from "./host";
import { Refusal } from "./host";
import { ModeButton, Problem, type Shown, Source, start, useDoing, useSession, Waiting } from "./page";
import { Text } from "./text";

const RATINGS: [Rating, string][] = [
  ["again", "Again"],
  ["hard", "Hard"],
  ["good", "Good"],
  ["easy", "Easy"],
];
const SCOPE = ["deck_id", "class_id", "tag"];

interface Stand {
  card: DueCard | null;
  due: DueCounts;
  message: string;
}

function Cards({ shown }: { shown: Shown<DueCards> }) {
  const session = useSession();
  const [stand, setStand] = useState<Stand | null>(null);
  const [done, setDone] = useState<Rating[]>([]);
  const { busy, problem, doing } = useDoing();
  const scope = Object.fromEntries(SCOPE.filter((name) => shown.args[name]).map((name) => [name, shown.args[name]]));

  const look = async (): Promise<Stand> => standOf(await session.call<DueCards>("get_due_cards", { ...scope, limit: 1 }));
  // The answer may be old: a host shows a page again whenever its conversation is opened.
  useEffect(() => void look().then(setStand, () => setStand(standOf(shown.data))), []);

  const rate = (card: DueCard, rating: Rating, shownAt: number): Promise<void> =>
    doing(async () => {
      try {
        const after = await session.call<Reviewed>("review_card", reviewOf(card, rating, shownAt, scope));
        setStand({ card: after.next_card ?? null, due: after.due, message: after.message });
        tell(session.host.tellModel.bind(session.host), [...done, rating], dueNow(after.due));
        setDone([...done, rating]);
      } catch (error) {
        // Reviewed elsewhere since: the card as it is now comes in its place.
        if (error instanceof Refusal && error.code === "card_changed") setStand(await look());
        else throw error;
      }
    });
  const undo = (): Promise<void> =>
    doing(async () => {
      const undone = await session.call<{ card: DueCard; due: DueCounts; message: string }>("undo_review", {});
      const counts = Object.keys(scope).length > 0 ? (await look()).due : undone.due;
      setStand({ card: undone.card, due: counts, message: undone.message });
      setDone(done.slice(0, -1));
    });

  // Also when nothing is left: the last rating may have been a slip.
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "u" && !isChord(event) && done.length > 0 && !busy) void undo();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });

  if (!stand) return <Waiting />;
  return (
    <section aria-label="Card review">
      <header>
        <h1>{stand.card ? stand.card.deck_title : "Cards"}</h1>
        {done.length > 0 && (
          <button type="button" class="plain" data-testid="undo" disabled={busy} aria-keyshortcuts="u" onClick={() => void undo()}>
            Undo
          </button>
        )}
        <ModeButton />
      </header>
      <Left due={stand.due} done={done.length} />
      {problem && <Problem text={problem} />}
      {stand.card ? (
        <Card key={stand.card.id + stand.card.review_token} card={stand.card} busy={busy} onRate={rate} />
      ) : (
        <p class="ended" role="status" data-testid="ended">
          {stand.message}
        </p>
      )}
    </section>
  );
}

const standOf = (found: DueCards): Stand => ({ card: found.items[0] ?? null, due: found.due, message: found.message });

function reviewOf(card: DueCard, rating: Rating, shownAt: number, scope: Arguments): Arguments {
  const duration = Math.min(86_400_000, Math.round(performance.now() - shownAt));
  return { card_id: card.id, rating, review_token: card.review_token, duration_ms: duration, ...scope };
}

/** Counts only: no word of a card goes to the model this way. */
function tell(say: (text: string) => Promise<void>, done: Rating[], left: number): void {
  const counts = RATINGS.map(([rating]) => `${done.filter((one) => one === rating).length} ${rating}`).join(", ");
  void say(`In the card reviewer the student has reviewed ${done.length}: ${counts}. Still due now: ${left}.`);
}

function Left({ due, done }: { due: DueCounts; done: number }) {
  const left = dueNow(due);
  return (
    <div class="left">
      <progress max={Math.max(1, done + left)} value={done} aria-label="Cards reviewed of those due" />
      <p class="quiet" role="status" data-testid="left">
        {left} left: {due.new} new, {due.learning} being learned, {due.review} to review
        {due.learning_later > 0 && `; ${due.learning_later} again later today`}
      </p>
    </div>
  );
}

interface CardProps {
  card: DueCard;
  busy: boolean;
  onRate: (card: DueCard, rating: Rating, shownAt: number) => Promise<void>;
}

function Card({ card, busy, onRate }: CardProps) {
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState<string | null>(null);
  const [shownAt] = useState(() => performance.now());
  const good = useRef<HTMLButtonElement>(null);
  // Only after the student's own act: a page must not take the focus of the conversation.
  useLayoutEffect(() => {
    if (open) good.current?.focus();
  }, [open]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isChord(event)) return;
      const rating = RATINGS[Number(event.key) - 1]?.[0];
      if (open && rating && !busy) void onRate(card, rating, shownAt);
      else if ((event.key === " " || event.key === "Enter") && !open && card.type !== "multiple_choice" && !isControl(event.target)) setOpen(true);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
  const choices = card.type === "multiple_choice";
  return (
    <article class="card" data-testid="card" data-card={card.id}>
      <div class={`face${open || choices ? "" : " shut"}`} data-testid="front" onClick={() => !choices && setOpen(true)}>
        <Side text={card.front} />
      </div>
      {choices && <Options card={card} open={open} chosen={chosen} onChoose={(id) => (setChosen(id), setOpen(true))} />}
      {!open && !choices && (
        <button type="button" class="main" data-testid="flip" aria-keyshortcuts="Space" onClick={() => setOpen(true)}>
          Show the answer <kbd>space</kbd>
        </button>
      )}
      {open && (
        <>
          {(!choices || card.extra) && (
            <div class="back" data-testid="back">
              {!choices && <Side text={card.back} />}
              {card.extra && <Side text={card.extra} />}
            </div>
          )}
          <Source evidence={card.evidence} />
          <div class="ratings" role="group" aria-label="How well did you know it?">
            {RATINGS.map(([rating, label], index) => (
              <button
                key={rating}
                type="button"
                class={`rating ${rating}`}
                ref={rating === "good" ? good : null}
                disabled={busy}
                data-testid={`rate-${rating}`}
                aria-keyshortcuts={String(index + 1)}
                onClick={() => void onRate(card, rating, shownAt)}
              >
                <strong>{label}</strong> <span>{card.next_intervals[rating]}</span>
              </button>
            ))}
          </div>
        </>
      )}
    </article>
  );
}

function Options({ card, open, chosen, onChoose }: { card: DueCard; open: boolean; chosen: string | null; onChoose: (id: string) => void }) {
  return (
    <div class="options">
      {card.options.map((option) => {
        const right = open && option.text === card.back;
        const wrong = open && option.id === chosen && !right;
        return (
          <button
            key={option.id}
            type="button"
            class={`option${right ? " right" : ""}${wrong ? " wrong" : ""}`}
            disabled={open}
            data-testid="option"
            onClick={() => onChoose(option.id)}
          >
            <Text text={option.text} />
            {right && <span class="verdict">right</span>}
            {wrong && <span class="verdict">your choice</span>}
          </button>
        );
      })}
    </div>
  );
}

const MEDIA = /!\[([^\]]*)\]\([^()\s]+\)|\[sound:[^\]]+\]/g;

/** Pictures and sounds of imported decks stay in Lyceum: a page may fetch nothing. */
function Side({ text }: { text: string }) {
  return <Text text={text.replace(MEDIA, (_, alt?: string) => `*(${alt || "picture or sound"}: see it in Lyceum)*`)} />;
}

const isChord = (event: KeyboardEvent): boolean => event.ctrlKey || event.metaKey || event.altKey || event.repeat;

function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, a, input, select, textarea") !== null;
}

start("cards", Cards);
