import { defineEvent } from "@hookline/core";
import { z } from "zod";

export const assetStatusSchema = z.enum(["active", "maintenance", "retired"]);

export const assetSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  description: z.string().optional(),
  status: z.string().optional(),
  created_by: z.string().optional(),
  created_at: z.iso.datetime({ offset: true, local: true }).optional(),
  updated_by: z.string().optional(),
  updated_at: z.iso.datetime({ offset: true, local: true }).optional(),
});

export const alertSchema = z.looseObject({
  id: z.string(),
  title: z.string(),
  message: z.string(),
  severity: z.enum(["info", "warning", "critical"]),
  /** What raised it, such as a monitor's name. */
  source: z.string(),
  triggered_at: z.iso.datetime({ offset: true, local: true }),
});

export type AssetStatus = z.infer<typeof assetStatusSchema>;
export type Asset = z.infer<typeof assetSchema>;
export type Alert = z.infer<typeof alertSchema>;

const assetExample: Asset = {
  id: "ast_0mf2k9a3f6d1c8e4b7a90f2d3c5b1e",
  name: "Server-001",
  description: "Production web server",
  status: "active",
  created_by: "admin@example.com",
  created_at: "2026-01-15T10:30:00.000Z",
};

export const assetCreated = defineEvent({
  type: "asset.created",
  schema: assetSchema,
  description: "An asset was registered.",
  example: assetExample,
});

export const assetUpdated = defineEvent({
  type: "asset.updated",
  schema: assetSchema,
  description: "An asset's name, description or status changed.",
  example: { ...assetExample, status: "maintenance", updated_by: "admin", updated_at: "2026-01-16T08:00:00.000Z" },
});

export const alertTriggered = defineEvent({
  type: "alert.triggered",
  schema: alertSchema,
  description: "A monitor raised an alert.",
  example: {
    id: "alr_0mf2k9a3f6d1c8e4b7a90f2d3c5b1e",
    title: "Disk almost full",
    message: "/var has 2 % left.",
    severity: "critical",
    source: "disk-monitor",
    triggered_at: "2026-01-15T10:30:00.000Z",
  },
});
