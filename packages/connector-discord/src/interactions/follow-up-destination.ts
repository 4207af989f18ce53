import {
  type Clock,
  type Destination,
  type DestinationContext,
  defineDestination,
  type Interpretation,
  type Logger,
} from "@hookline/core";
import { DiscordConnectorError, isDiscordConnectorError } from "../errors.js";
import type { RenderedMessage } from "../message/render-message.js";
import type { DiscordRest } from "../rest/discord-rest.js";
import { wait } from "../wait.js";
import { type ReplyAnswer, reply, type UpdateAnswer } from "./answers.js";
import { FOLLOW_UP_DESTINATION_ID, type FollowUp, fromFollowUp } from "./follow-up-message.js";
import { type Definition, runHandler } from "./handlers.js";
import { createKeptAnswers } from "./kept-answers.js";
import { withOfferedOptions } from "./offered-options.js";
import { EPHEMERAL } from "./payload.js";
import { type AnswerRendering, renderAnsweredMessage } from "./render-answer.js";
import { SENTENCES } from "./sentences.js";

export interface FollowUpOptions extends AnswerRendering {
  readonly rest: DiscordRest;
  readonly clock: Clock;
  readonly logger: Logger;
}

export const FOLLOW_UP_DEFAULTS = {
  /** After as many failures of a handler the member reads an apology. */
  tries: 3,
  firstRetryAfterMs: 1_000,
  longestRetryAfterMs: 60_000,
  /** Discord may not know the interaction yet when our answer to it is still on its way. */
  unknownRetriesMs: [250, 500, 1_000, 2_000],
} as const satisfies Record<string, number | readonly number[]>;

/**
 * Runs the handler of a deferred interaction as a delivery and puts its answer where "thinking…" stands. While an
 * answer can't be shown, only the showing is tried again.
 */
export function createFollowUpDestination(options: FollowUpOptions): Destination {
  const { rest, clock, logger } = options;
  const given = createKeptAnswers<ReplyAnswer | UpdateAnswer>();
  const rendered = createKeptAnswers<Rendered>();
  const forget = (interactionId: string) => {
    given.drop(interactionId);
    rendered.drop(interactionId);
  };

  async function run(followUp: FollowUp, context: DestinationContext): Promise<Interpretation> {
    const interpretation = await answerAndShow(followUp, context);
    if (interpretation.outcome !== "retry") forget(followUp.payload.id);
    return interpretation;
  }

  async function answerAndShow(followUp: FollowUp, context: DestinationContext): Promise<Interpretation> {
    const { signal, attempt } = context;
    const lastAttempt = attempt >= FOLLOW_UP_DEFAULTS.tries;
    const { tenantId } = context.endpoint;
    const found = options.handlers.find(followUp.payload, { tenantId, attempt, lastAttempt, signal });
    if (found.kind !== "found") return apologise(followUp, context, "the definition is gone");

    let answer: Rendered;
    try {
      const later = await given.once(followUp.payload.id, async () =>
        laterAnswer(found.definition, await runHandler(found.definition, found.interaction)),
      );
      // Apart from the handler: when a menu's options can't be asked now, its work is not done again.
      answer = await rendered.once(followUp.payload.id, async () =>
        render(await withOfferedOptions(later, found.interaction)),
      );
    } catch (error) {
      const handler = `${found.definition.kind} ${found.definition.name}`;
      logger.error({ interactionId: followUp.payload.id, handler, attempt, err: error }, "a deferred handler failed");
      if (lastAttempt) return apologise(followUp, context, "the handler failed");
      return {
        outcome: "retry",
        retryInMs: retryInMs(attempt),
        reason: "the handler failed",
      };
    }
    try {
      await show(followUp, answer, signal);
      return { outcome: "delivered" };
    } catch (error) {
      const { outcome, ...failure } = interpretFailure(error, attempt);
      return outcome === "dead" ? apologise(followUp, context, failure.reason ?? outcome) : { outcome, ...failure };
    }
  }

  const render = (answer: ReplyAnswer | UpdateAnswer): Rendered => ({
    isReply: answer.kind === "reply",
    body:
      answer.kind === "reply" && answer.ephemeral
        ? { ...renderAnsweredMessage(answer.message, options), flags: EPHEMERAL }
        : renderAnsweredMessage(answer.message, options),
  });

  /** Edits what the deferral shows, or adds a reply where it shows nothing. */
  async function show({ payload, shows }: FollowUp, answer: Rendered, signal: AbortSignal): Promise<void> {
    const adds = shows === "nothing" && answer.isReply;
    const webhook = `/webhooks/${payload.application_id}`;
    const tail = adds ? "" : "/messages/@original";
    const { flags: _flags, ...edit } = answer.body;
    await untilKnown(signal, () =>
      rest.request({
        method: adds ? "POST" : "PATCH",
        path: `${webhook}/${payload.token}${tail}`,
        shownPath: `${webhook}/:token${tail}`,
        // Who sees an edited message was settled by the deferral.
        body: adds ? answer.body : edit,
        signal,
      }),
    );
  }

  async function untilKnown(signal: AbortSignal, request: () => Promise<unknown>): Promise<void> {
    for (const delayMs of FOLLOW_UP_DEFAULTS.unknownRetriesMs) {
      try {
        await request();
        return;
      } catch (error) {
        if (!isDiscordConnectorError(error) || error.status !== 404) throw error;
        await wait(clock, delayMs, signal);
      }
    }
    await request();
  }

  async function apologise(
    followUp: FollowUp,
    { signal, attempt }: Pick<DestinationContext, "signal" | "attempt">,
    reason: string,
  ): Promise<Interpretation> {
    try {
      await show(followUp, render(reply(SENTENCES.failed)), signal);
      return { outcome: "dead", reason };
    } catch (error) {
      const { reason: refusal, ...failure } = interpretFailure(error, attempt);
      return { ...failure, reason: `${reason}; ${refusal}` };
    }
  }

  return defineDestination({
    id: FOLLOW_UP_DESTINATION_ID,
    plan(event, context) {
      const followUp = fromFollowUp(context.endpoint.target, event.data);
      return { kind: "run", run: () => run(followUp, context) };
    },
    async expire(event, context) {
      const followUp = fromFollowUp(context.endpoint.target, event.data);
      const answer = rendered.get(followUp.payload.id);
      forget(followUp.payload.id);
      if (answer !== undefined) return show(followUp, answer, context.signal);
      const { reason } = await apologise(followUp, context, "the time was over");
      logger.warn({ interactionId: followUp.payload.id, reason }, "a deferred interaction was not answered in time");
    },
  });
}

interface Rendered {
  readonly isReply: boolean;
  readonly body: RenderedMessage & { readonly flags?: number };
}

function laterAnswer(definition: Definition, answer: Awaited<ReturnType<typeof runHandler>>) {
  if (answer.kind !== "modal") return answer;
  throw new DiscordConnectorError(
    "invalid_definition",
    `The ${definition.kind} "${definition.name}" is deferred and shows a modal, which Discord takes as a first answer only.`,
  );
}

/** The member waits, and Discord forgets the token after 15 minutes: the dispatcher's schedule would be too slow. */
function retryInMs(attempt: number): number {
  return Math.min(FOLLOW_UP_DEFAULTS.firstRetryAfterMs * 2 ** (attempt - 1), FOLLOW_UP_DEFAULTS.longestRetryAfterMs);
}

function interpretFailure(error: unknown, attempt: number): Interpretation {
  if (!isDiscordConnectorError(error)) throw error;
  if (error.code === "rate_limited" || error.code === "too_many_invalid_requests") {
    return { outcome: "retry", reason: error.message, retryInMs: error.retryAfterMs ?? retryInMs(attempt) };
  }
  const { status } = error;
  // A 404 may still become known, which other refusals do not, such as the 401 of a token that is over.
  const lasting = status !== undefined && status >= 400 && status < 500 && status !== 404 && status !== 408;
  return lasting
    ? { outcome: "dead", reason: error.message }
    : { outcome: "retry", reason: error.message, retryInMs: retryInMs(attempt) };
}
