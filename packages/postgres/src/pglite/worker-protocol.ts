import type { EncodedParameter } from "../values/encode-parameter.js";

/** What the worker thread is asked; each is answered once, by the same id. */
export type WorkerRequest =
  | {
      readonly id: number;
      readonly kind: "open";
      readonly directory: string | undefined;
      readonly fsync: boolean;
      /** A file of {@link WorkerRequest} `dump` to start from, instead of making a new database. */
      readonly snapshot: string | undefined;
    }
  | { readonly id: number; readonly kind: "dump"; readonly path: string }
  | {
      readonly id: number;
      readonly kind: "run";
      readonly text: string;
      readonly params: readonly EncodedParameter[];
      readonly name: string | undefined;
    }
  | { readonly id: number; readonly kind: "close" };

export interface WorkerRunResult {
  readonly rows: readonly unknown[];
  readonly rowCount: number;
  readonly command: string;
}

/** An error as it crosses the thread. `fatal`: the engine is gone, nothing later can succeed. */
export interface WorkerFailure {
  readonly message: string;
  readonly code?: string;
  readonly sqlState?: string;
  readonly constraint?: string;
  readonly fatal?: boolean;
}

export type WorkerMessage =
  | { readonly id: number; readonly result: WorkerRunResult | undefined }
  | { readonly id: number; readonly failure: WorkerFailure }
  | { readonly channel: string; readonly payload: string };
