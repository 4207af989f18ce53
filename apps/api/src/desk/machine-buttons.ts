import { defineButton, reply, updateMessage } from "@hookline/connector-discord";
import type { Machines } from "./machines.js";
import { machineMessage } from "./messages.js";

/** Approve and Deny below the message of a new machine, for those who may manage the server. */
export function createMachineButtons(options: { machines: Machines }) {
  const decide = (decision: "approved" | "denied") =>
    defineButton({
      name: decision === "approved" ? "machine-approve" : "machine-deny",
      params: ["machineId"],
      requires: ["ManageGuild"],
      refusal: "Only members who may manage this server can decide on machines.",
      answer: "immediate",
      async run({ tenantId, user, params }) {
        const decided = await options.machines.decide({
          tenantId,
          id: params.machineId,
          decision,
          decidedBy: user.username,
        });
        // Privately: what the message shows everybody may be right, and stays.
        if (!decided) return reply("This machine is not one of this desk, so it can't be decided on from here.");
        return updateMessage(machineMessage(decided.machine));
      },
    });

  return { approve: decide("approved"), deny: decide("denied") };
}
