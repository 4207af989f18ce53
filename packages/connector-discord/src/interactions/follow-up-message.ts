import { type DirectSend, identitySubject } from "@hookline/core";
import { z } from "zod";
import { DISCORD_PROVIDER_ID } from "../provider.js";
import { snowflakeTimeMs } from "../snowflake.js";
import { type InteractionPayload, interactionSchema } from "./payload.js";

/** The destination that answers a deferred interaction. */
export const FOLLOW_UP_DESTINATION_ID = "discord-follow-up";

/** Discord's token lives for 15 minutes; the rest is for an apology. */
const ANSWER_WITHIN_MS = 14.5 * 60_000;

/** What the member sees until the handler has run. */
export type DeferralShows = "thinking" | "nothing";

export interface FollowUp {
  readonly payload: InteractionPayload;
  readonly shows: DeferralShows;
}

/**
 * What is kept of a deferred interaction until its handler has run. Token and everything that was typed stay in the
 * encrypted target.
 */
export function toFollowUp(
  payload: InteractionPayload,
  kept: { readonly tenantId: string; readonly name: string; readonly shows: DeferralShows },
): DirectSend {
  const { token, data, ...interaction } = payload;
  const user = payload.member?.user ?? payload.user;
  return {
    tenantId: kept.tenantId,
    destination: FOLLOW_UP_DESTINATION_ID,
    target: { applicationId: payload.application_id, interactionToken: token, submitted: data },
    data: { name: kept.name, shows: kept.shows, interaction },
    deadline: new Date(snowflakeTimeMs(payload.id) + ANSWER_WITHIN_MS),
    idempotencyKey: `discord.interaction:${payload.id}`,
    subjectIds: user ? [identitySubject({ kind: DISCORD_PROVIDER_ID, value: user.id })] : [],
  };
}

const targetSchema = z.object({ interactionToken: z.string(), submitted: z.unknown() });
const dataSchema = z.object({
  shows: z.enum(["thinking", "nothing"]),
  interaction: z.record(z.string(), z.unknown()),
});

/** The interaction as it came. Throws for what {@link toFollowUp} has not made. */
export function fromFollowUp(target: unknown, data: unknown): FollowUp {
  const { interactionToken, submitted } = targetSchema.parse(target);
  const { interaction, shows } = dataSchema.parse(data);
  return { payload: interactionSchema.parse({ ...interaction, token: interactionToken, data: submitted }), shows };
}
