import { randomBytes } from "node:crypto";
import type { Clock, Logger } from "@hookline/core";
import { HTTPException } from "hono/http-exception";
import type { Body } from "../rest/payload-check.js";
import type { Snowflakes } from "../snowflake.js";
import type { Packet } from "../world/model.js";
import { type AnswerContext, applyAnswer } from "./answer.js";
import type { InteractionFailure, InteractionState } from "./model.js";
import { interactionPayload } from "./payload.js";
import { postSigned } from "./post.js";
import { signRequest } from "./signing.js";

/** What begins an interaction. */
export type NewInteraction = Pick<
  InteractionState,
  "type" | "user" | "guild" | "channel" | "data" | "source" | "trigger"
>;

/** Creates interactions, brings them to the application and keeps what became of them. */
export interface Interactions {
  /** Resolves when the application has answered, or when the person sees that it did not. */
  create(input: NewInteraction): Promise<InteractionState>;
  byId(id: string): InteractionState | undefined;
  byToken(token: string): InteractionState | undefined;
  /** An answer over REST. Throws Discord's refusal. */
  answer(interaction: InteractionState, callback: Body): void;
  /** True once the 15 minutes are over. */
  isExpired(interaction: InteractionState): boolean;
  /** Says that something changed, to whoever waits. */
  touch(): void;
  /** Waits in real time until the condition holds; false when it did not. Null waits as long as it takes. */
  waitUntil(condition: () => boolean, timeoutMs: number | null): Promise<boolean>;
  /** Fails what is still waiting for an answer. */
  close(): void;
}

export interface InteractionsContext extends AnswerContext {
  readonly clock: Clock;
  /** What the application lives by: it is not put forward. */
  readonly wallClock: Clock;
  readonly logger: Logger;
  readonly fetch: typeof fetch;
  readonly snowflake: Snowflakes;
  readonly answerTimeoutMs: number;
  readonly tokenLifetimeMs: number;
  readonly deliverOverGateway: (packet: Packet) => boolean;
}

const NO_ANSWER = "The application did not respond";

export function createInteractions(context: InteractionsContext): Interactions {
  const { world, clock, wallClock, answerTimeoutMs } = context;
  const byId = new Map<string, InteractionState>();
  const byToken = new Map<string, InteractionState>();
  const waiters = new Set<() => void>();

  function touch(): void {
    for (const waiter of [...waiters]) {
      waiter();
    }
  }

  function waitUntil(condition: () => boolean, timeoutMs: number | null): Promise<boolean> {
    if (condition()) {
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const finish = (held: boolean) => {
        waiters.delete(check);
        clearTimeout(timer);
        resolve(held);
      };
      const check = () => {
        if (condition()) {
          finish(true);
        }
      };
      const timer = timeoutMs === null ? undefined : setTimeout(() => finish(condition()), timeoutMs);
      waiters.add(check);
    });
  }

  function fail(interaction: InteractionState, reason: InteractionFailure["reason"], detail: string): void {
    if (interaction.status !== "pending") {
      return;
    }
    interaction.status = "failed";
    interaction.failure = { reason, message: NO_ANSWER, detail };
    context.logger.warn({ interactionId: interaction.id, reason, detail }, "an interaction failed");
    touch();
  }

  function answer(interaction: InteractionState, callback: Body): void {
    applyAnswer(context, interaction, callback);
    touch();
  }

  async function deliverOverHttp(interaction: InteractionState, url: string): Promise<void> {
    const body = JSON.stringify(interactionPayload(world, interaction));
    const request = signRequest(world.application.secretKey, body, Math.floor(wallClock.now() / 1000));
    const result = await postSigned({ url, request, fetch: context.fetch, clock, timeoutMs: answerTimeoutMs });
    if (interaction.status !== "pending") {
      return;
    }
    if (result.kind !== "answered") {
      fail(interaction, result.kind, result.detail);
    } else if (result.status < 200 || result.status > 299) {
      fail(interaction, "bad_status", `answered ${result.status}: ${result.body.slice(0, 200)}`);
    } else if (result.body.trim() !== "" || result.status !== 202) {
      answerFromBody(interaction, result.body);
    }
  }

  function answerFromBody(interaction: InteractionState, text: string): void {
    try {
      answer(interaction, parseObject(text));
    } catch (error) {
      if (!(error instanceof HTTPException) && !(error instanceof SyntaxError)) {
        throw error;
      }
      fail(interaction, "invalid_answer", error.message);
    }
  }

  /** Tokens are refused as expired for a while before they become unknown. */
  function forgetExpired(): void {
    for (const interaction of byId.values()) {
      if (clock.now() - interaction.createdAtMs < 2 * context.tokenLifetimeMs) {
        break;
      }
      byId.delete(interaction.id);
      byToken.delete(interaction.token);
    }
  }

  return {
    async create(input) {
      const id = context.snowflake();
      const interaction: InteractionState = {
        ...input,
        id,
        token: Buffer.from(`interaction:${id}:${randomBytes(48).toString("base64url")}`).toString("base64url"),
        createdAtMs: clock.now(),
        status: "pending",
        answer: null,
        answeredAtMs: 0,
        modal: null,
        choices: [],
        original: null,
        settled: false,
        followUps: [],
        failure: null,
      };
      forgetExpired();
      byId.set(id, interaction);
      byToken.set(interaction.token, interaction);
      const cancelTimer = clock.setTimer(
        () => fail(interaction, "timed_out", `no answer within ${answerTimeoutMs} ms`),
        answerTimeoutMs,
      );
      const url = world.application.interactionsUrl;
      if (url !== null) {
        await deliverOverHttp(interaction, url);
      } else if (!deliverOverGateway(interaction)) {
        fail(interaction, "not_connected", "no interactions URL is set and no Gateway session is connected");
      }
      await waitUntil(() => interaction.status !== "pending", null);
      cancelTimer();
      return interaction;
    },
    byId: (id) => byId.get(id),
    byToken: (token) => byToken.get(token),
    answer,
    isExpired: (interaction) => clock.now() - interaction.createdAtMs > context.tokenLifetimeMs,
    touch,
    waitUntil,
    close() {
      for (const interaction of byId.values()) {
        fail(interaction, "unreachable", "the simulator was closed");
      }
    },
  };

  function deliverOverGateway(interaction: InteractionState): boolean {
    return context.deliverOverGateway({
      t: "INTERACTION_CREATE",
      d: interactionPayload(world, interaction),
      guildId: interaction.guild?.id ?? null,
    });
  }
}

function parseObject(text: string): Body {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) {
    throw new SyntaxError("the answer is not a JSON object");
  }
  return value as Body;
}
