import type { ConnectorContext } from "@hookline/core";
import { assertDefinition } from "./check-definition.js";
import type { DiscordInteraction } from "./interaction.js";

/** How often one person may use something: `uses` within `seconds` that begin with the first. */
export interface Cooldown {
  /** 1 to 86,400, whole. */
  readonly seconds: number;
  /** 1 when absent; at most 1,000. */
  readonly uses?: number;
}

const MAX_SECONDS = 86_400;
const MAX_USES = 1_000;

export interface CooledDefinition {
  readonly kind: string;
  readonly name: string;
  readonly cooldown?: Cooldown;
}

/** Throws `invalid_definition`. */
export function assertCooldown({ kind, name, cooldown }: CooledDefinition): void {
  if (cooldown === undefined) return;
  const { seconds, uses = 1 } = cooldown;
  const isWhole = (value: number, most: number) => Number.isInteger(value) && value >= 1 && value <= most;
  assertDefinition(
    isWhole(seconds, MAX_SECONDS) && isWhole(uses, MAX_USES),
    `The cooldown of the ${kind} "${name}" takes 1 to ${MAX_SECONDS} whole seconds and 1 to ${MAX_USES} uses.`,
  );
}

/** Counts a use by this person, over all processes; answers how long to wait where it is one too many, else null. */
export async function waitOf(
  { kind, name, cooldown }: CooledDefinition,
  { tenantId, user }: DiscordInteraction,
  countUse: ConnectorContext["countUse"],
): Promise<number | null> {
  if (cooldown === undefined) return null;
  const { allowed, resetMs } = await countUse({
    key: JSON.stringify(["cooldown", tenantId, kind, name, user.id]),
    max: cooldown.uses ?? 1,
    windowSeconds: cooldown.seconds,
  });
  return allowed ? null : resetMs;
}

/** What the person reads then. */
export function waitSentence(waitMs: number): string {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  if (seconds < 120) return `Please wait ${count(seconds, "second")} before you do this again.`;
  const minutes = Math.ceil(seconds / 60);
  const shown = minutes < 120 ? count(minutes, "minute") : count(Math.ceil(minutes / 60), "hour");
  return `Please wait ${shown} before you do this again.`;
}

function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? "" : "s"}`;
}
