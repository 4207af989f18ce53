const DISCORD_EPOCH_MS = 1_420_070_400_000;

/** When Discord made the thing that carries this id, in milliseconds since 1970. */
export function snowflakeTimeMs(id: string): number {
  return Number(BigInt(id) >> 22n) + DISCORD_EPOCH_MS;
}

/** The smallest id of this moment: later things have larger ones. */
export function snowflakeAt(atMs: number): string {
  return String(BigInt(Math.max(0, Math.floor(atMs) - DISCORD_EPOCH_MS)) << 22n);
}

export function isSnowflake(value: unknown): value is string {
  return typeof value === "string" && /^\d{1,20}$/.test(value);
}
