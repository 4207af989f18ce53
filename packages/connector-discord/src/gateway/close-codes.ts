import { GatewayIntentBits } from "discord-api-types/v10";
import { GatewayWorkerError, type GatewayWorkerErrorCode } from "./errors.js";

/** Close code of our own making: Discord keeps the session for a RESUME, as it would not after 1000 or 1001. */
export const RESUMABLE_CLOSE_CODE = 4200;

const PORTAL = "https://discord.com/developers/applications";

const PRIVILEGED_INTENTS = [
  { bit: GatewayIntentBits.GuildMembers, label: "SERVER MEMBERS INTENT" },
  { bit: GatewayIntentBits.GuildPresences, label: "PRESENCE INTENT" },
  { bit: GatewayIntentBits.MessageContent, label: "MESSAGE CONTENT INTENT" },
] as const;

interface FatalClose {
  readonly code: GatewayWorkerErrorCode;
  readonly advise: (intents: number) => string;
}

const FATAL_CLOSES: ReadonlyMap<number, FatalClose> = new Map<number, FatalClose>([
  [4004, { code: "invalid_token", advise: () => invalidTokenAdvice() }],
  [
    4010,
    {
      code: "invalid_shard",
      advise: () =>
        "Discord refused the shard. Leave DISCORD_SHARD_COUNT or the option `shardCount` unset, or let it be what Discord recommends.",
    },
  ],
  [
    4011,
    {
      code: "sharding_required",
      advise: () =>
        "The bot is in too many servers for one shard. Leave DISCORD_SHARD_COUNT or the option `shardCount` unset: Discord says how many. With leases, raise it in all workers.",
    },
  ],
  [
    4012,
    {
      code: "unsupported_api_version",
      advise: () => "Discord no longer speaks this Gateway version. Update @discordjs/ws.",
    },
  ],
  [
    4013,
    {
      code: "invalid_intents",
      advise: (intents) =>
        `Discord does not know the intents ${intents}. Correct DISCORD_INTENTS or the option \`intents\`.`,
    },
  ],
  [4014, { code: "disallowed_intents", advise: disallowedIntentsAdvice }],
]);

/** The error for a close code after which Discord lets nobody reconnect; null for all others. */
export function fatalCloseError(closeCode: number, intents: number): GatewayWorkerError | null {
  const fatal = FATAL_CLOSES.get(closeCode);
  return fatal ? new GatewayWorkerError(fatal.code, `${fatal.advise(intents)} (Gateway close ${closeCode})`) : null;
}

/** After these Discord has forgotten the session, or never will accept it. */
export function endsSession(closeCode: number): boolean {
  return closeCode === 4007 || FATAL_CLOSES.has(closeCode);
}

export function invalidTokenAdvice(): string {
  return `Discord refused the bot token. Copy the token from ${PORTAL} (your application, Bot, Reset Token) into DISCORD_BOT_TOKEN or the option \`botToken\`.`;
}

function disallowedIntentsAdvice(intents: number): string {
  const asked = PRIVILEGED_INTENTS.filter(({ bit }) => (intents & bit) !== 0).map(({ label }) => label);
  return `Discord refused privileged intents. Switch on ${asked.join(", ") || "the privileged intents"} at ${PORTAL} (your application, Bot, Privileged Gateway Intents), or leave them out of DISCORD_INTENTS or the option \`intents\`.`;
}
