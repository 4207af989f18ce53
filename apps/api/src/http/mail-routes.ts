import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import {
  type ApiKeyEnv,
  createRouter,
  type Engine,
  type LocalMailer,
  problemResponses,
  requireApiKey,
} from "@hookline/engine";

const mail = z
  .object({
    id: z.string(),
    to: z.string(),
    subject: z.string(),
    text: z.string(),
    html: z.string().optional(),
    tenantId: z.string().optional(),
    sentAt: z.iso.datetime(),
  })
  .openapi("LocalMail");

const listMails = createRoute({
  method: "get",
  path: "/v1/development/mails",
  summary: "List the mails in the local outbox, newest first (development only)",
  security: [{ apiKey: [] }],
  tags: ["Development"],
  request: { query: z.object({ to: z.string().max(254).optional() }) },
  responses: {
    200: {
      description: "The mails.",
      content: { "application/json": { schema: z.object({ mails: z.array(mail) }) } },
    },
    ...problemResponses({ 401: "No valid API key.", 403: "The scope is missing." }),
  },
});

/**
 * Shows a tenant what the local mailer holds of it. Whoever reads it can confirm links, so production does not mount it.
 */
export function createMailRoutes(options: {
  readonly engine: Engine;
  readonly mailer: LocalMailer;
}): OpenAPIHono<ApiKeyEnv> {
  const router = createRouter<ApiKeyEnv>();
  router.use("/v1/development/mails", requireApiKey(options.engine, "write"));
  router.openapi(listMails, async (c) => {
    const { tenantId } = c.var.principal;
    const { to } = c.req.valid("query");
    return c.json({ mails: [...(await options.mailer.list({ tenantId, ...(to === undefined ? {} : { to }) }))] }, 200);
  });
  return router;
}
