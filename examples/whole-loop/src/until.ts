import { setTimeout as sleep } from "node:timers/promises";

const DEADLINE_MS = 30_000;
const PAUSE_MS = 25;

/**
 * Asks again and again until there is an answer.
 *
 * @throws Error naming `what` when there was none in time
 */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | null | false>,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  const giveUpAt = Date.now() + deadlineMs;
  let lastError: unknown;
  while (Date.now() < giveUpAt) {
    try {
      const answer = await probe();
      if (answer) return answer;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await sleep(PAUSE_MS);
  }
  throw new Error(`Not seen within ${deadlineMs / 1000} s: ${what}`, { cause: lastError });
}
