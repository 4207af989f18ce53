import type { Receiver } from "../../src/testing.js";
import { openReceiver } from "../open-dispatcher.js";

/** What a receiver got, and what it answered. */
export interface Reception {
  readonly eventId: string;
  readonly n: number;
  readonly orderingKey: string | null;
  readonly isRolledBack: boolean;
  readonly verified: boolean;
  readonly isAccepted: boolean;
}

interface Payload {
  readonly data: { readonly n: number; readonly orderingKey: string | null; readonly isRolledBack: boolean };
}

export interface ChaosReceiver extends Receiver {
  readonly receptions: readonly Reception[];
}

/** A receiver that refuses each seventh event once, takes some milliseconds, and notes everything in order. */
export async function openChaosReceiver(random: () => number, isSigned: boolean): Promise<ChaosReceiver> {
  const receptions: Reception[] = [];
  const seen = new Set<number>();
  const receiver = await openReceiver({
    answer(request) {
      const { n, orderingKey, isRolledBack } = (request.json() as Payload).data;
      const isAccepted = n % 7 !== 3 || seen.has(n);
      seen.add(n);
      const eventId = request.headers["webhook-id"] ?? "";
      receptions.push({
        eventId,
        n,
        orderingKey,
        isRolledBack,
        verified: request.verified === (isSigned ? true : null),
        isAccepted,
      });
      return { status: isAccepted ? 204 : 503, delayMs: Math.ceil(random() * 20) };
    },
  });
  return Object.assign(receiver, { receptions });
}
