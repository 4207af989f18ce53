import type { IngestParts } from "../ingest/ingest.js";
import { type CheckedSource, checkSources, type EngineSource } from "./check-source.js";
import { type Received, receive, type SourceRequest } from "./receive.js";
import { createSourceLog, type SourceLog } from "./source-log.js";

/** What the app's routes need of the sources. */
export interface SourceIntake {
  readonly list: readonly CheckedSource[];
  readonly log: SourceLog;
  receive(source: CheckedSource, request: SourceRequest): Promise<Received>;
}

interface IntakeOptions extends IngestParts {
  readonly sources: readonly EngineSource[];
  readonly track: <T>(work: () => Promise<T>) => Promise<T>;
}

/** @throws EngineError `invalid_options` */
export function createSourceIntake({ sources, track, ...parts }: IntakeOptions): SourceIntake {
  const log = createSourceLog(parts.store);
  return {
    list: checkSources(sources),
    log,
    receive: (source, request) => track(() => receive({ ...parts, log }, source, request)),
  };
}
