// One question: to be answered, or with its grade, the key, why, and where the material says it.
import { useSignal } from "@preact/signals";
import { type AskedQuestion, type Choice, citationOf, type Evidence, type QuestionResult, type Response } from "../api/study";
import { useApp } from "../state/app";
import { splitBlocks } from "../text/markdown";
import { Block } from "./Block";
import { Icon } from "./icons";

const NO_LABELS: ReadonlyMap<number, string> = new Map();

/** Text with maths; the gaps of a cloze stand as numbered lines. */
export function Text({ text }: { text: string }) {
  const shown = text.replace(/\{\{(\d+)\}\}/g, "\\_\\_\\_\\_($1)");
  return (
    <div class="prose">
      {splitBlocks(shown).map((source, index) => (
        <Block key={index} source={source} labels={NO_LABELS} />
      ))}
    </div>
  );
}

interface Props {
  question: AskedQuestion;
  onAnswer: (response: Response) => void;
}

export function Question({ question, onAnswer }: Props) {
  const name = `lyceum-question-${question.number}`;
  return (
    <fieldset class="exercise" data-testid="question" data-type={question.type}>
      <legend>
        <span class="number">{question.number}</span>
        <Text text={question.text} />
      </legend>
      <Answer name={name} question={question} onAnswer={onAnswer} />
      {question.result && <Grade question={question.result} />}
    </fieldset>
  );
}

type AnswerProps = Props & { name: string };

function Answer(props: AnswerProps) {
  const { question, onAnswer, name } = props;
  const { response } = question;
  switch (question.type) {
    case "multiple_choice":
      return <Choices {...props} type="radio" chosen={typeof response === "string" ? [response] : []} onChange={([id]) => id && onAnswer(id)} />;
    case "multiple_answer":
      return <Choices {...props} type="checkbox" chosen={Array.isArray(response) ? response : []} onChange={onAnswer} />;
    case "true_false":
      return (
        <Choices
          {...props}
          question={{ ...question, options: TRUTH }}
          type="radio"
          chosen={typeof response === "boolean" ? [String(response)] : []}
          onChange={([id]) => onAnswer(id === "true")}
        />
      );
    case "cloze":
      return <Gaps {...props} />;
    case "short_answer":
      return (
        <input
          aria-label="Your answer"
          data-testid="answer-text"
          defaultValue={typeof response === "string" ? response : ""}
          maxLength={4000}
          autocomplete="off"
          onChange={(event) => onAnswer(event.currentTarget.value)}
          id={name}
        />
      );
    case "matching":
      return <Matching {...props} />;
    case "ordering":
      return <Ordering {...props} />;
  }
}

const TRUTH: Choice[] = [
  { id: "true", text: "True" },
  { id: "false", text: "False" },
];

interface ChoicesProps extends AnswerProps {
  type: "radio" | "checkbox";
  chosen: string[];
  onChange: (chosen: string[]) => void;
}

function Choices({ question, name, type, chosen, onChange }: ChoicesProps) {
  const pick = (id: string, on: boolean): void => {
    if (type === "radio") onChange([id]);
    else onChange(on ? [...chosen, id] : chosen.filter((one) => one !== id));
  };
  return (
    <div class="options">
      {question.options.map((option) => (
        <label class="option" key={option.id}>
          <input
            type={type}
            name={name}
            data-testid="option"
            checked={chosen.includes(option.id)}
            onChange={(event) => pick(option.id, event.currentTarget.checked)}
          />
          <Text text={option.text} />
        </label>
      ))}
    </div>
  );
}

function Gaps({ question, onAnswer }: AnswerProps) {
  const given = Array.isArray(question.response) ? question.response : [];
  const texts = Array.from({ length: question.gaps }, (_, index) => given[index] ?? "");
  return (
    <div class="gaps">
      {texts.map((text, index) => (
        <label key={index}>
          Gap {index + 1}
          <input
            defaultValue={text}
            maxLength={500}
            autocomplete="off"
            data-testid="answer-gap"
            onChange={(event) => onAnswer(texts.map((one, at) => (at === index ? event.currentTarget.value : one)))}
          />
        </label>
      ))}
    </div>
  );
}

function Matching({ question, onAnswer }: AnswerProps) {
  const { response } = question;
  const pairs = typeof response === "object" && response !== null && !Array.isArray(response) ? response : {};
  const change = (left: string, right: string): void => {
    const { [left]: _, ...others } = pairs;
    onAnswer(right ? { ...others, [left]: right } : others);
  };
  return (
    <div class="matching">
      {question.options.map((left) => (
        <div class="pair" key={left.id}>
          <Text text={left.text} />
          <select
            aria-label={`Belongs to ${left.text}`}
            data-testid="answer-match"
            value={pairs[left.id] ?? ""}
            onChange={(event) => change(left.id, event.currentTarget.value)}
          >
            <option value="">Choose…</option>
            {question.right.map((right) => (
              <option key={right.id} value={right.id}>
                {right.text}
              </option>
            ))}
          </select>
        </div>
      ))}
    </div>
  );
}

function Ordering({ question, onAnswer }: AnswerProps) {
  const ids = Array.isArray(question.response) ? question.response : question.options.map((one) => one.id);
  const texts = new Map(question.options.map((one) => [one.id, one.text]));
  const move = (from: number, to: number): void => {
    const order = [...ids];
    const [moved] = order.splice(from, 1);
    if (moved !== undefined) order.splice(to, 0, moved);
    onAnswer(order);
  };
  return (
    <ol class="ordering">
      {ids.map((id, index) => (
        <li key={id}>
          <Text text={texts.get(id) ?? id} />
          <button
            type="button"
            class="icon-button small"
            aria-label={`Move up: ${texts.get(id) ?? id}`}
            disabled={index === 0}
            data-testid="move-up"
            onClick={() => move(index, index - 1)}
          >
            ↑
          </button>
          <button
            type="button"
            class="icon-button small"
            aria-label={`Move down: ${texts.get(id) ?? id}`}
            disabled={index === ids.length - 1}
            onClick={() => move(index, index + 1)}
          >
            ↓
          </button>
        </li>
      ))}
    </ol>
  );
}

const OUTCOMES = { right: "Right", partial: "Partly right", wrong: "Wrong", unanswered: "Not answered" };

/** A question of a finished attempt. */
export function Graded({ question }: { question: QuestionResult }) {
  return (
    <div class="exercise" data-testid="graded" data-outcome={question.outcome}>
      <span class="number">{question.number}</span>
      <Text text={question.text} />
      {question.given && (
        <div class="given">
          <span class="label">Your answer</span> <Text text={question.given} />
        </div>
      )}
      <Grade question={question} />
      <Afterwards question={question} />
    </div>
  );
}

function Grade({ question }: { question: QuestionResult }) {
  return (
    <div class={`grade ${question.outcome}`} role="status" data-testid="grade">
      <p>
        <strong>{OUTCOMES[question.outcome]}</strong>, {Number(question.earned.toFixed(2))} of {question.points}
        {question.grading_explanation && <span class="hint"> {question.grading_explanation}</span>}
      </p>
      {question.outcome !== "right" && (
        <div class="given">
          <span class="label">Right is</span> <Text text={question.answer_text} />
        </div>
      )}
      {question.explanation && <Text text={question.explanation} />}
      <EvidenceButton evidence={question.evidence} />
    </div>
  );
}

export function EvidenceButton({ evidence }: { evidence: Evidence | null }) {
  const app = useApp();
  const citation = citationOf(evidence);
  if (!citation) return null;
  return (
    <button
      type="button"
      class="quiet evidence-link"
      data-testid="item-evidence"
      onClick={(event) => void app.evidence.openCitation(citation, event.currentTarget)}
    >
      <Icon name="file" size={16} /> {citation.locator.material_title}, {citation.label}
    </button>
  );
}

function Afterwards({ question }: { question: QuestionResult }) {
  const { tests } = useApp();
  const appealing = useSignal(false);
  const reason = useSignal("");
  const mayAppeal = question.outcome !== "right" && question.given !== null && !question.appeal;
  if (question.appeal?.outcome) return <p class="hint">Looked at again: {question.appeal.outcome}</p>;
  return (
    <div class="afterwards">
      <div class="row">
        {mayAppeal && (
          <button type="button" class="quiet" data-testid="appeal" onClick={() => (appealing.value = !appealing.value)}>
            This grade is wrong
          </button>
        )}
        {question.id && (
          <button type="button" class="quiet" data-testid="bad-question" onClick={() => void tests.rate(question, 1)}>
            This is a bad question
          </button>
        )}
      </div>
      {appealing.value && (
        <form
          class="text-form"
          onSubmit={(event) => {
            event.preventDefault();
            appealing.value = false;
            void tests.appeal(question, reason.value);
          }}
        >
          <label>
            Why is your answer right?
            <textarea rows={2} required maxLength={2000} onInput={(event) => (reason.value = event.currentTarget.value)} />
          </label>
          <div class="row end">
            <button type="submit" class="primary">
              Have it looked at again
            </button>
          </div>
        </form>
      )}
    </div>
  );
}
