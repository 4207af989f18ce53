import { type Destination, defineDestination } from "@hookline/core";
import { type RunParts, runAutomation } from "./run-automation.js";

export const AUTOMATION_DESTINATION_ID = "automation";

/** Where an automation is found; what its subscription holds. */
export interface AutomationTarget {
  readonly automationId: string;
}

/** Runs automations as deliveries: with the dispatcher's retries, history and crash safety. */
export function automationDestination(
  parts: RunParts,
  sweeper: { readonly sweepIfDue: () => Promise<void> },
): Destination {
  return defineDestination<AutomationTarget>({
    id: AUTOMATION_DESTINATION_ID,
    async plan(event, { endpoint, deliveryId, signal }) {
      const { tenantId, target } = endpoint;
      const key = { tenantId, id: target.automationId };
      const automation = await parts.automations.get(parts.store.database.query, key);
      if (automation === null || !automation.active) return null;
      return {
        kind: "run",
        async run() {
          const interpretation = await runAutomation(parts, { automation, event, executionId: deliveryId, signal });
          await sweeper.sweepIfDue();
          return interpretation;
        },
      };
    },
  }) as Destination;
}
