import { defineEvent } from "@hookline/core";
import { z } from "zod";

export const machineSchema = z.looseObject({
  asset_id: z.string(),
  hostname: z.string(),
  ip_address: z.string(),
  status: z.enum(["pending", "approved", "denied"]),
  registered_at: z.iso.datetime({ offset: true, local: true }),
  decided_by: z.string().optional(),
});

export type Machine = z.infer<typeof machineSchema>;

const machineExample: Machine = {
  asset_id: "mac_0mf2k9a3f6d1c8e4b7a90f2d3c5b1e",
  hostname: "DESKTOP-001",
  ip_address: "192.168.1.100",
  status: "pending",
  registered_at: "2026-01-15T10:30:00.000Z",
};

export const machineRegistered = defineEvent({
  type: "machine.registered",
  schema: machineSchema,
  description: "A machine asks to be approved.",
  example: machineExample,
});

export const machineApproved = defineEvent({
  type: "machine.approved",
  schema: machineSchema,
  description: "A moderator approved a machine.",
  example: { ...machineExample, status: "approved", decided_by: "mod" },
});

export const machineDenied = defineEvent({
  type: "machine.denied",
  schema: machineSchema,
  description: "A moderator denied a machine.",
  example: { ...machineExample, status: "denied", decided_by: "mod" },
});
