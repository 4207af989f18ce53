import { companyCreated, userCreated } from "./account-events.js";
import { aiResponseApproved, aiResponseGenerated, aiResponseRejected, aiResponseRequiresReview } from "./ai-events.js";
import { conversationAdded, feedbackReceived } from "./conversation-events.js";
import { alertTriggered, assetCreated, assetUpdated } from "./inventory-events.js";
import { machineApproved, machineDenied, machineRegistered } from "./machine-events.js";
import { ticketClosed, ticketCreated, ticketEscalated, ticketResolved, ticketUpdated } from "./ticket-events.js";

/** Every event type of the reference domain. */
export const catalogue = [
  ticketCreated,
  ticketUpdated,
  ticketClosed,
  ticketResolved,
  ticketEscalated,
  machineRegistered,
  machineApproved,
  machineDenied,
  assetCreated,
  assetUpdated,
  alertTriggered,
  userCreated,
  companyCreated,
  conversationAdded,
  feedbackReceived,
  aiResponseGenerated,
  aiResponseRequiresReview,
  aiResponseApproved,
  aiResponseRejected,
];
