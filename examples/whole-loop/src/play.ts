import type { Stage } from "./stage.js";
import { showActivity } from "./steps/activity.js";
import { showLink } from "./steps/link.js";
import { showMachine } from "./steps/machine.js";
import { showOutage } from "./steps/outage.js";
import { showTicket } from "./steps/ticket.js";

/** Plays the loop. Throws at the first thing that is not seen. */
export async function play(stage: Stage): Promise<void> {
  for (const step of [showActivity, showLink, showTicket, showMachine, showOutage]) await step(stage);
}
