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
  return new LazyEnd();
}

/** Each attempt has one, and the garbage collector takes one object more quickly than five closures. */
class LazyEnd implements AttemptEnd {
  private reason: Error | null = null;
  private controller: AbortController | null = null;
  private listeners = NONE;

  get aborted(): boolean {
    return this.reason !== null;
  }

  get signal(): AbortSignal {
    if (this.controller === null) {
      this.controller = new AbortController();
      if (this.reason !== null) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  abort(why: Error): void {
    if (this.reason !== null) return;
    this.reason = why;
    this.controller?.abort(why);
    for (const listener of this.listeners) listener();
  }

  addEventListener(_type: "abort", listener: () => void): void {
    this.listeners = this.listeners.length === 0 ? [listener] : [...this.listeners, listener];
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    const isOnly = this.listeners.length === 1 && this.listeners[0] === listener;
    this.listeners = isOnly ? NONE : this.listeners.filter((each) => each !== listener);
  }
}
