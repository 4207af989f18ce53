/** Rejects when the work does or the signal ends the waiting for it. */
export function withinLimit(work: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error("The time limit of stop is over."));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work().then(() => resolve(), reject);
  });
}
