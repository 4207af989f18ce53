/**
 * Makes a function that has the work of a key run, one run of each key at a time. Who asks during a run may know of more
 * than that run still sees: so another one follows it. A key with nothing to do answers null.
 */
export function createSingleRuns(run: (key: string) => Promise<void> | null): (key: string) => void {
  /** Whether somebody asked since the run began. */
  const running = new Map<string, boolean>();

  return function start(key) {
    if (running.has(key)) {
      running.set(key, true);
      return;
    }
    const started = run(key);
    if (started === null) return;
    running.set(key, false);
    const next = (): void => {
      const isAskedAgain = running.get(key);
      running.delete(key);
      if (isAskedAgain) start(key);
    };
    started.then(next, next);
  };
}
