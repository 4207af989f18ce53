import { z } from "@hono/zod-openapi";

/** One run of an automation, as the routes show it. */
export const automationExecutionSchema = z
  .object({
    id: z.string(),
    automationId: z.string(),
    automationVersion: z.number().int(),
    eventId: z.string(),
    eventType: z.string(),
    status: z.enum(["running", "succeeded", "skipped", "failed"]),
    error: z.string().nullable(),
    startedAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable(),
    steps: z.array(
      z.object({
        id: z.string(),
        action: z.string(),
        status: z.enum(["succeeded", "failed"]),
        input: z.unknown(),
        output: z.unknown(),
        error: z.string().nullable(),
        tries: z.number().int(),
        durationMs: z.number().int(),
      }),
    ),
  })
  .openapi("AutomationExecution");
