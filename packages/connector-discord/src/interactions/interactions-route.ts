import { type Clock, type ConnectorContext, type ConnectorRoute, problemResponse } from "@hookline/core";
import { verifyRequest } from "../verify-request.js";
import type { CommandChoice } from "./command-options.js";
import { waitOf, waitSentence } from "./cooldown.js";
import { toFollowUp } from "./follow-up-message.js";
import { runHandler } from "./handlers.js";
import { withOfferedOptions } from "./offered-options.js";
import { CALLBACK, EPHEMERAL, INTERACTION, type InteractionPayload, interactionSchema } from "./payload.js";
import { type AnswerRendering, type InteractionCallback, privateSentence, renderAnswer } from "./render-answer.js";
import { meetsRequirement } from "./requirement.js";
import { SENTENCES } from "./sentences.js";

export interface InteractionsRouteOptions extends AnswerRendering {
  readonly publicKeyHex: string;
  readonly resolveTenant: (guildId: string | null) => Promise<string | null>;
  readonly clock: Clock;
}

export const INTERACTION_DEFAULTS = {
  toleranceSeconds: 300,
  /** Longer than the whole window in which a signature is accepted. */
  replayTtlSeconds: 900,
  /** Discord gives up after 3 seconds; the rest is for the way there. */
  answerWithinMs: 2_500,
  maxBodyBytes: 256 * 1024,
} as const satisfies Record<string, number>;

interface Turn {
  /** Ends when the time for a first answer does. */
  readonly signal: AbortSignal;
  /** The answer then. */
  ifLate: InteractionCallback;
  /** Whose handler it is, for the log; null while that is not known. */
  handler: string | null;
}

/** Where Discord posts slash commands, buttons and modals: ed25519, ±300 s, each interaction once, an answer within 3 s. */
export function createInteractionsRoute(options: InteractionsRouteOptions): ConnectorRoute {
  const { clock } = options;

  async function handle(request: Request, context: ConnectorContext): Promise<Response> {
    const { toleranceSeconds } = INTERACTION_DEFAULTS;
    const verified = await verifyRequest(request, { publicKeyHex: options.publicKeyHex, toleranceSeconds, clock });
    if (!verified.ok) return verified.response;
    const { received } = verified;
    if (typeof received === "object" && received !== null && "type" in received && received.type === INTERACTION.ping) {
      // Has no effect, so a replay of it harms nobody, and Discord's own check of the URL must not fail on a store.
      return Response.json({ type: CALLBACK.pong });
    }
    const payload = interactionSchema.safeParse(received);
    if (!payload.success) {
      const at = payload.error.issues[0]?.path.join(".") || "a member or a user";
      return problemResponse({ status: 400, code: "invalid_interaction", detail: `The interaction lacks ${at}.` });
    }
    return answerInTime(payload.data, context);
  }

  async function answerInTime(payload: InteractionPayload, context: ConnectorContext): Promise<Response> {
    const deadline = new AbortController();
    const late = new Promise<"late">((resolve) => deadline.signal.addEventListener("abort", () => resolve("late")));
    const cancel = clock.setTimer(
      () => deadline.abort(new Error("The time for a first answer is over.")),
      INTERACTION_DEFAULTS.answerWithinMs,
    );
    const turn: Turn = { signal: deadline.signal, ifLate: fallback(payload, SENTENCES.tooSlow), handler: null };
    const answer = acceptAndAnswer(payload, context, turn).catch((error: unknown) => {
      context.logger.error({ ...shown(payload, turn), err: error }, "an interaction could not be answered");
      return fallback(payload, SENTENCES.failed);
    });
    try {
      const first = await Promise.race([answer, late]);
      if (first !== "late") return first === null ? replayed() : Response.json(first);
      context.logger.warn(shown(payload, turn), "an interaction took too long for its first answer");
      return Response.json(turn.ifLate);
    } finally {
      cancel();
    }
  }

  /** Null for a replay. */
  async function acceptAndAnswer(
    payload: InteractionPayload,
    context: ConnectorContext,
    turn: Turn,
  ): Promise<InteractionCallback | null> {
    const accepted = await context.acceptOnce(
      `discord.interaction:${payload.id}`,
      INTERACTION_DEFAULTS.replayTtlSeconds,
      // What the interaction stores is committed after it, and takes it to the disk.
      { asyncCommit: true },
    );
    if (!accepted) return null;
    if (payload.type === INTERACTION.autocomplete) return suggest(payload, turn);
    if (!ANSWERABLE.has(payload.type)) return privateSentence(SENTENCES.unknownType);
    const tenantId = await options.resolveTenant(payload.guild_id ?? null);
    if (tenantId === null) return privateSentence(SENTENCES.noTenant);

    const found = options.handlers.find(payload, { tenantId, attempt: 1, lastAttempt: true, signal: turn.signal });
    if (found.kind === "unknown") return privateSentence(UNKNOWN[found.what]);
    if (found.kind === "invalid") return privateSentence(found.message);
    const { definition, interaction } = found;
    turn.handler = `${definition.kind} ${definition.name}`;
    if (!(await meetsRequirement(definition.requires, interaction))) {
      return privateSentence(definition.refusal ?? SENTENCES.refusal);
    }
    const waitMs = await waitOf(definition, interaction, context.countUse);
    if (waitMs !== null) return privateSentence(waitSentence(waitMs));
    if (found.isOffered && !(await found.isOffered())) return privateSentence(SENTENCES.unfitChoice);
    const hasMessage = payload.message !== null && payload.message !== undefined;
    if (definition.answer === "immediate") {
      const answer = await withOfferedOptions(await runHandler(definition, interaction), interaction);
      return renderAnswer(answer, hasMessage, options);
    }
    const shows = definition.answer === "deferred-update" && hasMessage ? "nothing" : "thinking";
    // The member was told to try again: what is stored after that would be done twice.
    turn.signal.throwIfAborted();
    turn.ifLate = shows === "nothing" ? { type: CALLBACK.deferredUpdate } : privateSentence(SENTENCES.mayStillCome);
    await context.outbox.send(toFollowUp(payload, { tenantId, name: turn.handler, shows }));
    if (shows === "nothing") return { type: CALLBACK.deferredUpdate };
    const ephemeral = definition.answer === "deferred-update" || (definition.ephemeral ?? true);
    return { type: CALLBACK.deferredMessage, data: ephemeral ? { flags: EPHEMERAL } : {} };
  }

  /** What fits what is being typed; nothing to who may not use the command. */
  async function suggest(payload: InteractionPayload, { signal }: Turn): Promise<InteractionCallback> {
    const tenantId = await options.resolveTenant(payload.guild_id ?? null);
    if (tenantId === null) return choicesOf([]);
    const origin = { tenantId, attempt: 1, lastAttempt: true, signal };
    const completion = options.handlers.findAutocompletion(payload, origin);
    if (completion === null) return choicesOf([]);
    const may = await meetsRequirement(completion.definition.requires, completion.interaction);
    return choicesOf(may ? await completion.choices() : []);
  }

  return {
    method: "POST",
    path: "/interactions",
    summary: "Receives interactions from Discord",
    rateLimited: false,
    maxBodyBytes: INTERACTION_DEFAULTS.maxBodyBytes,
    handle,
  };
}

const ANSWERABLE: ReadonlySet<number> = new Set([INTERACTION.command, INTERACTION.component, INTERACTION.modal]);

const UNKNOWN = {
  command: SENTENCES.unknownCommand,
  button: SENTENCES.unknownButton,
  select: SENTENCES.unknownSelect,
  modal: SENTENCES.unknownModal,
} as const;

function fallback(payload: InteractionPayload, sentence: string): InteractionCallback {
  return payload.type === INTERACTION.autocomplete ? choicesOf([]) : privateSentence(sentence);
}

function choicesOf(choices: readonly CommandChoice[]): InteractionCallback {
  return { type: CALLBACK.autocomplete, data: { choices } };
}

function replayed(): Response {
  return problemResponse({
    status: 409,
    code: "interaction_replayed",
    detail: "This interaction has been accepted before.",
  });
}

/** What a log may hold of an interaction: nothing that was typed, and no token. */
function shown(payload: InteractionPayload, { handler }: Turn) {
  return { interactionId: payload.id, type: payload.type, guildId: payload.guild_id ?? null, handler };
}
