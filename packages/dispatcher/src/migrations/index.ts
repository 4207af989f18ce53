import type { Migration } from "@hookline/postgres";
import { deliveries } from "./0001-deliveries.js";
import { ordering } from "./0002-ordering.js";
import { endpointHealth } from "./0003-endpoint-health.js";
import { endpointFields } from "./0004-endpoint-fields.js";
import { lookBack, lookBackIndexes } from "./0005-look-back.js";
import { limitsAndTraces } from "./0006-limits-and-traces.js";
import { growingBacklogs } from "./0007-growing-backlogs.js";
import { subjectsOfSends, subjectsOfSendsIndexes } from "./0008-subjects-of-sends.js";
import { expungedDeliveries } from "./0009-expunged-deliveries.js";
import { retriesOfKeys } from "./0010-retries-of-keys.js";
import { leasesApart, leasesApartOldIndexes } from "./0011-leases-apart.js";
import { queueRoom } from "./0012-queue-room.js";

/** In the order in which they run; what has been released is never changed. */
export const migrations: readonly Migration[] = [
  deliveries,
  ordering,
  endpointHealth,
  endpointFields,
  lookBack,
  lookBackIndexes,
  limitsAndTraces,
  growingBacklogs,
  subjectsOfSends,
  subjectsOfSendsIndexes,
  expungedDeliveries,
  retriesOfKeys,
  leasesApart,
  leasesApartOldIndexes,
  queueRoom,
];
