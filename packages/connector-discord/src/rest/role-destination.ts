import { type Destination, defineDestination, type Interpretation } from "@hookline/core";
import { z } from "zod";
import type { DiscordRest } from "./discord-rest.js";
import { grantRole, type RoleGrantResult } from "./grant-role.js";

/** The destination that grants a role as a delivery: `outbox.send({ destination: DISCORD_ROLE_DESTINATION_ID, target: null, data: { guildId, userId, roleId }, … })`. */
export const DISCORD_ROLE_DESTINATION_ID = "discord-role";

const dataSchema = z.object({ guildId: z.string(), userId: z.string(), roleId: z.string() });

/** Grants roles with the retries of a delivery, so that a link made while Discord is away still ends with its role. */
export function createRoleDestination(rest: DiscordRest): Destination {
  return defineDestination({
    id: DISCORD_ROLE_DESTINATION_ID,
    plan: (event, context) => ({
      kind: "run",
      run: async () => interpret(await grantRole(rest, dataSchema.parse(event.data), context.signal)),
    }),
  });
}

function interpret(result: RoleGrantResult): Interpretation {
  if (result.ok) return { outcome: "delivered" };
  if (result.reason === "unavailable") return { outcome: "retry", reason: result.message };
  if (result.reason === "rate_limited") {
    return { outcome: "retry", reason: result.message, retryAfterMs: result.retryAfterMs };
  }
  return { outcome: "dead", reason: `${result.reason}: ${result.message}` };
}
