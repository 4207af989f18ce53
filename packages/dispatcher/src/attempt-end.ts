/** What listens to the end of an attempt; an `AbortSignal` will do. */
export interface Ending {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** The end of an attempt before it is over: its time limit, or that of the whole dispatcher. */
export interface AttemptEnd extends Ending {
  /** The same for whoever needs a signal. */
  readonly signal: AbortSignal;
  abort(reason: Error): void;
}

const NONE: readonly (() => void)[] = [];

/** Few attempts need an `AbortController`, and to make one costs as much as to sign the request. */
export function createAttemptEnd(): AttemptEnd {
  let reason: Error | null = null;
  let controller: AbortController | null = null;
  let listeners: readonly (() => void)[] = NONE;
  return {
    get aborted() {
      return reason !== null;
    },
    get signal() {
      if (controller === null) {
        controller = new AbortController();
        if (reason !== null) controller.abort(reason);
      }
      return controller.signal;
    },
    abort(why) {
      if (reason !== null) return;
      reason = why;
      controller?.abort(why);
      for (const listener of listeners) listener();
    },
    addEventListener(_type, listener) {
      listeners = listeners.length === 0 ? [listener] : [...listeners, listener];
    },
    removeEventListener(_type, listener) {
      listeners =
        listeners.length === 1 && listeners[0] === listener ? NONE : listeners.filter((each) => each !== listener);
    },
  };
}
