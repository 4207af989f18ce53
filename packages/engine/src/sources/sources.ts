import type { ColumnCipher } from "@hookline/postgres";
import type { Causation } from "../automations/causation.js";
import type { IngestParts } from "../ingest/ingest.js";
import { type CheckedSource, checkSources, type EngineSource } from "./check-source.js";
import { type Received, receive, type SourceRequest } from "./receive.js";
import { createSourceLog, type SourceHistory, type SourceLog } from "./source-log.js";
import { createStoredSources, type StoredSourceService, type StoredSources } from "./stored-sources.js";

/** Sources that tenants make, and what came in through these and those of the code. */
export interface Sources extends StoredSources, SourceHistory {}

/** What the app's routes need of the sources. */
export interface SourceIntake {
  readonly list: readonly CheckedSource[];
  readonly stored: StoredSourceService;
  readonly log: SourceLog;
  receive(source: CheckedSource, request: SourceRequest): Promise<Received>;
}

interface IntakeOptions extends IngestParts {
  readonly causation: Causation;
  readonly cipher: ColumnCipher;
  readonly sources: readonly EngineSource[];
  readonly track: <T>(work: () => Promise<T>) => Promise<T>;
}

/** @throws EngineError `invalid_options` */
export function createSourceIntake({ sources, cipher, track, ...parts }: IntakeOptions): SourceIntake {
  const log = createSourceLog(parts.store);
  return {
    list: checkSources(sources),
    stored: createStoredSources({ store: parts.store, cipher }),
    log,
    receive: (source, request) => track(() => receive({ ...parts, log }, source, request)),
  };
}

/** What an engine shows of its sources. */
export function sourcesOf({ log, stored }: SourceIntake): Sources {
  const { find: _find, ownerOf: _ownerOf, ...made } = stored;
  return { ...made, executions: log.executions, execution: log.execution, refusals: log.refusals };
}
