const DISCORD_EPOCH_MS = 1_420_070_400_000n;

/** Makes Discord's ids: milliseconds since 2015 in the upper bits, a running number below. */
export type Snowflakes = () => string;

export function createSnowflakes(now: () => number): Snowflakes {
  let lastMs = 0n;
  let counter = 0n;
  return () => {
    const nowMs = BigInt(now());
    if (nowMs > lastMs) {
      lastMs = nowMs;
      counter = 0n;
    } else {
      counter += 1n;
    }
    return snowflakeAt(lastMs, counter);
  };
}

export function snowflakeAt(ms: bigint, counter: bigint): string {
  return (((ms - DISCORD_EPOCH_MS) << 22n) | (counter & 0x3fffffn)).toString();
}

/** When an id was made, in milliseconds since 1970. */
export function snowflakeTimeMs(id: string): number {
  return Number((BigInt(id) >> 22n) + DISCORD_EPOCH_MS);
}

/** Orders ids by time: negative when `a` is the older one. */
export function compareSnowflakes(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
