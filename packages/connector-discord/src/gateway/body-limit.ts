import { INGRESS_LIMITS } from "../ingress-contract.js";

/** From batches made smaller by a 413 on, until larger ones are tried. */
const ANSWERS_BEFORE_GROWING = 20;

/** How large a batch may be, as far as is known. */
export interface BodyLimit {
  bytes(): number;
  /** A batch of so many bytes was refused for its size. */
  refused(bytes: number): void;
  answered(): void;
}

export function createBodyLimit(): BodyLimit {
  let limitBytes: number = INGRESS_LIMITS.targetBodyBytes;
  let answersSinceRefusal = 0;
  return {
    bytes: () => limitBytes,
    refused(bytes) {
      limitBytes = Math.floor(bytes / 2);
      answersSinceRefusal = 0;
    },
    /** A limit may have been that of a proxy which is gone again. Growing seldom keeps refusals rare where it stays. */
    answered() {
      if (limitBytes >= INGRESS_LIMITS.targetBodyBytes) {
        return;
      }
      answersSinceRefusal += 1;
      if (answersSinceRefusal % ANSWERS_BEFORE_GROWING === 0) {
        limitBytes = Math.min(INGRESS_LIMITS.targetBodyBytes, limitBytes * 2);
      }
    },
  };
}
