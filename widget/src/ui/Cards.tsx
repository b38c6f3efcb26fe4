// Cards: decks in the sidebar with what is due, the open deck, and reviewing.
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { type DeckDetails, type DeckStatistics, dueNow, isUnderWay, type Rating } from "../api/study";
import { useApp } from "../state/app";
import type { Review } from "../state/cards";
import { Icon } from "./icons";
import { MadeItems, MakeForm, NewButton, NumberField } from "./Made";
import { Pane, RemoveButton } from "./Pane";
import { EvidenceButton, Text } from "./Question";

export function CardsSection() {
  const { cards, drawerOpen, library, pane } = useApp();
  const making = useSignal(false);
  const view = cards.view.value;
  const due = dueNow(cards.due.value);
  const file = useRef<HTMLInputElement>(null);
  useEffect(() => void cards.list.load(), [library.classId.value]);
  return (
    <section class="made" aria-label="Cards">
      <div class="section-head">
        <h2>Cards</h2>
        <button type="button" class="quiet" data-testid="import-deck" onClick={() => file.current?.click()}>
          <Icon name="upload" size={18} /> Import
        </button>
        <NewButton what="deck" expanded={making.value} onClick={() => (making.value = !making.value)} />
        <input
          ref={file}
          type="file"
          hidden
          accept=".apkg,.colpkg,.csv,.tsv,.txt"
          aria-label="A deck from Anki, Quizlet or a table"
          onChange={(event) => {
            const [chosen] = event.currentTarget.files ?? [];
            event.currentTarget.value = "";
            if (chosen) void cards.importFile(chosen);
          }}
        />
      </div>
      {making.value && <DeckForm onDone={() => (making.value = false)} />}
      {due > 0 && (
        <button
          type="button"
          class="primary wide"
          data-testid="review-all"
          onClick={(event) => {
            drawerOpen.value = false;
            void cards.study(null, event.currentTarget);
          }}
        >
          Review {due} {due === 1 ? "card" : "cards"}
        </button>
      )}
      <MadeItems
        list={cards.list}
        icon="cards"
        testid="deck"
        empty="Made from your material, or brought from Anki."
        current={pane.kind.value === "cards" && view?.state === "deck" ? view.deck.id : undefined}
        badge={(deck) => (dueNow(deck.due) > 0 ? String(dueNow(deck.due)) : null)}
        onOpen={(deck, opener) => {
          drawerOpen.value = false;
          void cards.open(deck.id, opener);
        }}
      />
    </section>
  );
}

function DeckForm({ onDone }: { onDone: () => void }) {
  const { cards } = useApp();
  return (
    <MakeForm
      what="deck"
      onSubmit={(args, fields) => cards.make({ ...args, count: Number(fields.get("count")) || 20 })}
      onDone={onDone}
    >
      <NumberField id="lyceum-deck-count" name="count" label="Cards" value={20} max={300} />
    </MakeForm>
  );
}

export function CardsPane() {
  const { cards } = useApp();
  const view = cards.view.value;
  if (!view) return null;
  return view.state === "deck" ? (
    <Deck key={view.deck.id} deck={view.deck} />
  ) : (
    <Reviewing key="review" review={view.review} />
  );
}

function Deck({ deck }: { deck: DeckDetails }) {
  const { cards } = useApp();
  const due = dueNow(deck.due);
  const actions = deck.is_mine && (
    <>
      <button type="button" class="quiet" data-testid="export-anki" onClick={() => void cards.exportDeck(deck, "apkg")}>
        For Anki
      </button>
      <button type="button" class="quiet" onClick={() => void cards.exportDeck(deck, "csv")}>
        CSV
      </button>
      <RemoveButton what={`the deck ${deck.title}`} onClick={() => void cards.remove(deck)} />
    </>
  );
  return (
    <Pane kind="cards" title={deck.title} actions={actions}>
      <p data-testid="deck-facts">
        {deck.card_count} cards. Now due: {deck.due.new} new, {deck.due.learning} being learned, {deck.due.review} to review.
      </p>
      {isUnderWay(deck.making) && <p class="hint">More cards are being made.</p>}
      <div class="row choices">
        <button
          type="button"
          class="primary"
          disabled={due === 0}
          data-testid="study-deck"
          onClick={() => void cards.study(deck.id)}
        >
          {due === 0 ? "Nothing is due" : `Review ${due}`}
        </button>
      </div>
      {deck.statistics && <Statistics statistics={deck.statistics} />}
      <ul class="card-list">
        {deck.items.map((card) => (
          <li key={card.id} data-testid="card">
            <Side deckId={deck.id} text={card.front} />
            <Side deckId={deck.id} text={card.back} />
            <p class="hint">
              {card.suspended ? "suspended" : card.state}
              {card.is_leech && ", often forgotten: better rewritten"}
            </p>
            <EvidenceButton evidence={card.evidence} />
          </li>
        ))}
      </ul>
      {deck.next_cursor && (
        <button type="button" class="quiet" onClick={() => void cards.moreCards()}>
          Show more
        </button>
      )}
    </Pane>
  );
}

function Statistics({ statistics }: { statistics: DeckStatistics }) {
  const { forecast, retention } = statistics;
  const most = Math.max(1, ...forecast.map((day) => day.due + day.learning));
  if (forecast.every((day) => day.due + day.learning === 0)) return null;
  return (
    <figure class="forecast">
      <figcaption>
        Reviews in the next {forecast.length} days
        {retention.all !== null && `. Remembered in the last ${retention.days}: ${Math.round(100 * retention.all)} %`}
      </figcaption>
      <div class="bars" role="img" aria-label={forecast.map((day) => `${day.day}: ${day.due + day.learning}`).join(", ")}>
        {forecast.map((day) => (
          <span key={day.day} title={`${day.day}: ${day.due + day.learning}`} style={{ height: `${(100 * (day.due + day.learning)) / most}%` }} />
        ))}
      </div>
    </figure>
  );
}

const MEDIA = /!\[([^\]]*)\]\(([^()\s]+)\)|\[sound:([^\]]+)\]/;

/** A side of a card: its pictures and sounds are files of the deck. */
function Side({ deckId, text }: { deckId: string; text: string }) {
  const { api } = useApp();
  const found = MEDIA.exec(text);
  if (!found) return text.trim() ? <Text text={text} /> : null;
  const [whole, alt, picture, sound] = found;
  const name = encodeURIComponent(picture ? decodeURIComponent(picture) : (sound ?? ""));
  const url = api.url(`/api/decks/${deckId}/media/${name}`);
  const before = text.slice(0, found.index);
  return (
    <>
      {before.trim() && <Text text={before} />}
      {picture ? <img class="card-picture" src={url} alt={alt ?? ""} /> : <audio controls src={url} />}
      <Side deckId={deckId} text={text.slice(found.index + whole.length)} />
    </>
  );
}

const RATINGS: [Rating, string][] = [
  ["again", "Again"],
  ["hard", "Hard"],
  ["good", "Good"],
  ["easy", "Easy"],
];

function Reviewing({ review }: { review: Review }) {
  const { cards } = useApp();
  const { card, due } = review;
  const undo = review.done > 0 && (
    <button type="button" class="quiet" data-testid="undo-review" onClick={() => void cards.undo()}>
      <Icon name="retry" size={16} /> Undo
    </button>
  );
  return (
    <Pane kind="cards" title={card ? card.deck_title : "Done"} actions={undo} focusInside={card !== null}>
      <p class="hint counts" role="status" data-testid="review-counts">
        {due.new} new, {due.learning} being learned, {due.review} to review
      </p>
      {card ? (
        <Face key={card.review_token} review={review} />
      ) : (
        <p data-testid="review-done">{review.message}</p>
      )}
    </Pane>
  );
}

function Face({ review }: { review: Review }) {
  const { cards } = useApp();
  const { card, revealed } = review;
  const reveal = useRef<HTMLButtonElement>(null);
  const good = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => (revealed ? good : reveal).current?.focus(), [revealed]);
  if (!card) return null;
  const onKeyDown = (event: KeyboardEvent): void => {
    const rating = RATINGS[Number(event.key) - 1];
    if (revealed && rating && !event.ctrlKey && !event.metaKey && !event.altKey) void cards.rate(rating[0]);
  };
  return (
    <div class="face" data-testid="review-card" onKeyDown={onKeyDown}>
      <Side deckId={card.deck_id} text={card.front} />
      {card.type === "multiple_choice" && <CardOptions review={review} />}
      {!revealed && card.type !== "multiple_choice" && (
        <button type="button" class="primary wide" ref={reveal} data-testid="show-answer" onClick={() => cards.reveal()}>
          Show the answer
        </button>
      )}
      {revealed && (
        <>
          <hr />
          <div data-testid="card-back">
            <Side deckId={card.deck_id} text={card.back} />
            {card.extra && <Side deckId={card.deck_id} text={card.extra} />}
          </div>
          <EvidenceButton evidence={card.evidence} />
          <div class="ratings" role="group" aria-label="How well did you know it?">
            {RATINGS.map(([rating, label]) => (
              <button
                key={rating}
                type="button"
                class="rating"
                ref={rating === "good" ? good : null}
                disabled={review.busy}
                data-testid={`rate-${rating}`}
                onClick={() => void cards.rate(rating)}
              >
                <strong>{label}</strong>
                <span>{card.next_intervals[rating]}</span>
              </button>
            ))}
          </div>
        </>
      )}
      <div class="row aside">
        <button type="button" class="quiet" onClick={() => void cards.putAside("buried")}>
          Not today
        </button>
        <button type="button" class="quiet" onClick={() => void cards.putAside("suspended")}>
          Never again
        </button>
        <button type="button" class="quiet" onClick={() => void cards.rateItem(1)}>
          Bad card
        </button>
      </div>
    </div>
  );
}

function CardOptions({ review }: { review: Review }) {
  const { cards } = useApp();
  const { card, revealed, chosen } = review;
  if (!card) return null;
  return (
    <div class="options">
      {card.options.map((option) => (
        <button
          key={option.id}
          type="button"
          class={`option${revealed && option.text === card.back ? " right" : ""}${option.id === chosen && option.text !== card.back ? " wrong" : ""}`}
          disabled={revealed}
          data-testid="card-option"
          onClick={() => cards.reveal(option.id)}
        >
          <Text text={option.text} />
        </button>
      ))}
    </div>
  );
}
