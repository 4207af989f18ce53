import { advanceRecovery } from "./advance-recovery.js";
import { cancelRecovery } from "./cancel-recovery.js";
import { claimDeliveries } from "./claim-deliveries.js";
import { claimSetAside } from "./claim-set-aside.js";
import { countBacklogs } from "./count-backlogs.js";
import { countQueue } from "./count-queue.js";
import { deleteEndpoint } from "./delete-endpoint.js";
import { describeDeliveries } from "./describe-deliveries.js";
import { discardDeliveries } from "./discard-deliveries.js";
import { emptyOld } from "./empty-old.js";
import { expungeEvent } from "./expunge-event.js";
import { expungeSends } from "./expunge-sends.js";
import { findMessage } from "./find-message.js";
import { findPublishedEvents } from "./find-published-events.js";
import { findQueue } from "./find-queue.js";
import { findSetAside } from "./find-set-aside.js";
import { findStuckTurns } from "./find-stuck-turns.js";
import { findSubscription } from "./find-subscription.js";
import { forgetTokens } from "./forget-tokens.js";
import { getEvent } from "./get-event.js";
import { giveBackDeliveries } from "./give-back-deliveries.js";
import { hasBeenAttempted } from "./has-been-attempted.js";
import { insertEndpoint } from "./insert-endpoint.js";
import { insertRecovery } from "./insert-recovery.js";
import { listAllAttempts } from "./list-all-attempts.js";
import { listAttempts } from "./list-attempts.js";
import { listDeliveries } from "./list-deliveries.js";
import { listEncrypted } from "./list-encrypted.js";
import { listEndpoints } from "./list-endpoints.js";
import { listEvents } from "./list-events.js";
import { listRecoveries } from "./list-recoveries.js";
import { listSends } from "./list-sends.js";
import { loadEndpoint } from "./load-endpoint.js";
import { loadState } from "./load-state.js";
import { lockEndpoints } from "./lock-endpoints.js";
import { lockEvent, lockSends } from "./lock-expunged.js";
import { markBacklogs } from "./mark-backlogs.js";
import { nextDue } from "./next-due.js";
import { notifyWorkers } from "./notify-workers.js";
import { lockOld } from "./old-rows.js";
import { passTurns } from "./pass-turns.js";
import { publishEvent, publishLeasedEvent } from "./publish-event.js";
import { publishEvents } from "./publish-events.js";
import { putOffDelivery } from "./put-off-delivery.js";
import { recordAttempts } from "./record-attempts.js";
import { recordTest } from "./record-test.js";
import { recoverPage } from "./recover-page.js";
import { releaseEntity } from "./release-entity.js";
import { releaseHeld } from "./release-held.js";
import { releaseKeys } from "./release-keys.js";
import { removeOld } from "./remove-old.js";
import { removeOldAttempts } from "./remove-old-attempts.js";
import { removeOldRecoveries } from "./remove-old-recoveries.js";
import { removeOrphanStates } from "./remove-orphan-states.js";
import { replaceEncrypted } from "./replace-encrypted.js";
import { replaceSecrets } from "./replace-secrets.js";
import { requeueDeliveries } from "./requeue-deliveries.js";
import { returnProbes } from "./return-probes.js";
import { saveHealth } from "./save-health.js";
import { sendMessage } from "./send-message.js";
import { takeEntity } from "./take-entity.js";
import { takeRecovery } from "./take-recovery.js";
import { takeTokens } from "./take-tokens.js";
import { unholdOrphans } from "./unhold-orphans.js";
import { unmarkBacklogs } from "./unmark-backlogs.js";
import { updateEndpoint } from "./update-endpoint.js";
import { upsertSubscription } from "./upsert-subscription.js";
import { vacuumTable } from "./vacuum-table.js";

/** Every statement, with the schema's name written into its text once. */
export function createStatements(schema: string) {
  return {
    claimDeliveries: claimDeliveries(schema),
    claimSetAside: claimSetAside(schema),
    countBacklogs: countBacklogs(schema),
    countQueue: countQueue(schema),
    deleteEndpoint: deleteEndpoint(schema),
    describeDeliveries: describeDeliveries(schema),
    discardDeliveries: discardDeliveries(schema),
    findMessage: findMessage(schema),
    findPublishedEvents: findPublishedEvents(schema),
    findQueue: findQueue(schema),
    findSetAside: findSetAside(schema),
    findStuckTurns: findStuckTurns(schema),
    forgetTokens: forgetTokens(schema),
    findSubscription: findSubscription(schema),
    getEvent: getEvent(schema),
    giveBackDeliveries: giveBackDeliveries(schema),
    hasBeenAttempted: hasBeenAttempted(schema),
    insertEndpoint: insertEndpoint(schema),
    listAttempts: listAttempts(schema),
    listDeliveries: listDeliveries(schema),
    listEndpoints: listEndpoints(schema),
    listEvents: listEvents(schema),
    loadEndpoint: loadEndpoint(schema),
    loadState: loadState(schema),
    lockEndpoints: lockEndpoints(schema),
    markBacklogs: markBacklogs(schema),
    nextDue: nextDue(schema),
    passTurns: passTurns(schema),
    notifyWorkers,
    publishEvent: publishEvent(schema),
    publishLeasedEvent: publishLeasedEvent(schema),
    publishEvents: publishEvents(schema),
    putOffDelivery: putOffDelivery(schema),
    recordAttempts: recordAttempts(schema),
    recordTest: recordTest(schema),
    releaseEntity: releaseEntity(schema),
    releaseHeld: releaseHeld(schema),
    listEncrypted: listEncrypted(schema),
    replaceEncrypted: replaceEncrypted(schema),
    replaceSecrets: replaceSecrets(schema),
    requeueDeliveries: requeueDeliveries(schema),
    returnProbes: returnProbes(schema),
    saveHealth: saveHealth(schema),
    sendMessage: sendMessage(schema),
    takeEntity: takeEntity(schema),
    takeTokens: takeTokens(schema),
    unholdOrphans: unholdOrphans(schema),
    unmarkBacklogs: unmarkBacklogs(schema),
    updateEndpoint: updateEndpoint(schema),
    upsertSubscription: upsertSubscription(schema),
    vacuumTable: vacuumTable(schema),
    advanceRecovery: advanceRecovery(schema),
    cancelRecovery: cancelRecovery(schema),
    insertRecovery: insertRecovery(schema),
    listRecoveries: listRecoveries(schema),
    recoverPage: recoverPage(schema),
    takeRecovery: takeRecovery(schema),
    lockOld: lockOld(schema),
    emptyOld: emptyOld(schema),
    removeOld: removeOld(schema),
    removeOldAttempts: removeOldAttempts(schema),
    removeOldRecoveries: removeOldRecoveries(schema),
    removeOrphanStates: removeOrphanStates(schema),
    expungeEvent: expungeEvent(schema),
    expungeSends: expungeSends(schema),
    listAllAttempts: listAllAttempts(schema),
    listSends: listSends(schema),
    lockEvent: lockEvent(schema),
    lockSends: lockSends(schema),
    releaseKeys: releaseKeys(schema),
  } as const;
}

export type Statements = ReturnType<typeof createStatements>;
