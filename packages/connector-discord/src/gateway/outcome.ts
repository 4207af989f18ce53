import type { GatewayWorkerError } from "./errors.js";

/** A promise that is settled from outside, by whatever comes first. */
export function createOutcome() {
  let resolve: () => void = () => {};
  let reject: (error: GatewayWorkerError) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
