// One question: to be answered, or with its grade, the key, why, and where the material says it.
import { useSignal } from "@preact/signals";
import { type AskedQuestion, citationOf, type Evidence, isUnchecked, type QuestionResult, type Response } from "../api/study";
import { useApp } from "../state/app";
import { splitBlocks } from "../text/markdown";
import { Choices, Matching, Ordering, TRUTH } from "./answering";
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

interface QuestionProps extends Props {
  /** In practice: have the answer graded, for good. */
  onCheck: (() => void) | null;
  saving: boolean;
}

export function Question({ question, onAnswer, onCheck, saving }: QuestionProps) {
  const name = `lyceum-question-${question.number}`;
  const graded = question.result != null;
  return (
    <form
      class="exercise"
      data-testid="question"
      data-type={question.type}
      onSubmit={(event) => {
        event.preventDefault();
        if (isUnchecked(question)) onCheck?.();
      }}
    >
      <fieldset disabled={graded || (onCheck !== null && saving)}>
        <legend>
          <span class="number">{question.number}</span>
          <Text text={question.text} />
        </legend>
        <Answer name={name} question={question} onAnswer={onAnswer} />
        {onCheck && !graded && (
          <div class="row end">
            <button type="submit" class="quiet" data-testid="check-answer">
              Check the answer
            </button>
          </div>
        )}
      </fieldset>
      {question.result && <Grade question={question.result} />}
    </form>
  );
}

type AnswerProps = Props & { name: string };

function Answer(props: AnswerProps) {
  const { question, onAnswer, name } = props;
  const { response } = question;
  switch (question.type) {
    case "multiple_choice":
      return <Choices Text={Text} name={name} options={question.options} type="radio" chosen={typeof response === "string" ? [response] : []} onChange={([id]) => id && onAnswer(id)} />;
    case "multiple_answer":
      return <Choices Text={Text} name={name} options={question.options} type="checkbox" chosen={Array.isArray(response) ? response : []} onChange={onAnswer} />;
    case "true_false":
      return (
        <Choices
          Text={Text}
          name={name}
          options={TRUTH}
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
      return <Matching Text={Text} question={question} onAnswer={onAnswer} />;
    case "ordering":
      return <Ordering Text={Text} question={question} onAnswer={onAnswer} mover="quiet" />;
  }
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
