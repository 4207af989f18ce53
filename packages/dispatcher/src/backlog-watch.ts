import type { Database } from "@hookline/postgres";
import type { HookCalls } from "./hooks.js";
import type { OperationalEvent } from "./operational-events.js";
import type { OperationalLog } from "./operational-log.js";
import type { Settings } from "./options.js";
import { isoTime } from "./sql/columns.js";
import type { BacklogRow } from "./sql/count-backlogs.js";
import type { Statements } from "./sql/statements.js";

/** So many endpoints are counted at a time, each up to the threshold. */
const PAGE = 20;

/**
 * Tells of endpoints for which more waits than `backlogThreshold`: once, whichever process finds it, and again only
 * after less than half of it has waited. `step` looks at some endpoints, and answers false when it has seen them all.
 */
export function createBacklogWatch(options: {
  readonly settings: Settings;
  readonly database: Database;
  readonly statements: Statements;
  readonly log: OperationalLog;
  readonly hooks: HookCalls;
}): { step(): Promise<boolean> } {
  const { settings, database, statements } = options;
  const { clock, backlogThreshold } = settings;
  let after = "";

  /** The mark and the event that tells of it are committed together. */
  const tell = async (rows: readonly BacklogRow[], waiting: number): Promise<void> => {
    const nowMs = clock.now();
    const events = await database.transaction(async ({ query }) => {
      const marked = await statements.markBacklogs(
        query,
        rows.map(({ id }) => id),
      );
      const growing = marked.map(
        (endpoint): OperationalEvent => ({
          type: "backlog.growing",
          tenantId: endpoint.tenant_id,
          key: `${endpoint.id}:${isoTime(nowMs)}`,
          data: { endpointId: endpoint.id, endpointName: endpoint.name, waiting },
        }),
      );
      await options.log(query, growing, nowMs);
      return growing;
    });
    options.hooks.operational(events);
  };

  return {
    async step() {
      if (backlogThreshold === null) return false;
      const rows = await statements.countBacklogs(database.query, { after, limit: PAGE, countTo: backlogThreshold });
      const grown = rows.filter((row) => !row.is_told && row.waiting >= backlogThreshold);
      if (grown.length > 0) await tell(grown, backlogThreshold);
      const shrunk = rows.filter((row) => row.is_told && row.waiting < backlogThreshold / 2);
      const isLast = rows.length < PAGE;
      if (isLast || shrunk.length > 0) {
        await statements.unmarkBacklogs(
          database.query,
          shrunk.map(({ id }) => id),
        );
      }
      after = isLast ? "" : (rows.at(-1)?.id ?? "");
      return !isLast;
    },
  };
}
