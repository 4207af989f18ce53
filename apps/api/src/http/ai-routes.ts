import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import {
  type ApiKeyEnv,
  createRouter,
  type Engine,
  jsonBody,
  problem,
  problemResponses,
  requireApiKey,
} from "@hookline/engine";
import type { AiResponses } from "../desk/ai-responses.js";
import { aiResponseSchema } from "../events/ai-events.js";
import { idParam, jsonAnswer, line, longText, REFUSALS, SECURED } from "./desk-route.js";

const aiResponse = aiResponseSchema.openapi("AiResponse");
const notFound = problemResponses({ 404: "There is no such answer or ticket." });

const addResponse = createRoute({
  method: "post",
  path: "/v1/tickets/{ticketId}/ai-responses",
  summary: "Hand in an answer that a model wrote; below a confidence of 0.8 it waits for a review",
  ...SECURED,
  request: {
    params: z.object({ ticketId: idParam }),
    body: jsonBody(
      z.object({
        text: longText(),
        confidence: aiResponseSchema.shape.confidence,
        requires_review: z.boolean().optional(),
      }),
    ),
  },
  responses: { 201: jsonAnswer("The answer.", aiResponse), ...REFUSALS, ...notFound },
});

const params = z.object({ responseId: idParam });

const approve = createRoute({
  method: "post",
  path: "/v1/ai-responses/{responseId}/approve",
  summary: "Approve an answer; one that was decided on is answered as it is",
  ...SECURED,
  request: { params, body: jsonBody(z.object({ reviewed_by: line() })) },
  responses: { 200: jsonAnswer("The answer.", aiResponse), ...REFUSALS, ...notFound },
});

const reject = createRoute({
  method: "post",
  path: "/v1/ai-responses/{responseId}/reject",
  summary: "Reject an answer with a reason; one that was decided on is answered as it is",
  ...SECURED,
  request: { params, body: jsonBody(z.object({ reviewed_by: line(), reason: longText() })) },
  responses: { 200: jsonAnswer("The answer.", aiResponse), ...REFUSALS, ...notFound },
});

/** Generated answers over HTTP, behind API keys. */
export function createAiRoutes(options: { engine: Engine; aiResponses: AiResponses }): OpenAPIHono<ApiKeyEnv> {
  const { engine, aiResponses } = options;
  const router = createRouter<ApiKeyEnv>();
  const paths = ["/v1/tickets/:ticketId/ai-responses", "/v1/ai-responses/*"];
  router.on("POST", paths, requireApiKey(engine, "write"));

  router.openapi(addResponse, async (c) => {
    const { text, confidence, requires_review: requiresReview } = c.req.valid("json");
    const key = { tenantId: c.var.principal.tenantId, id: c.req.valid("param").ticketId };
    const added = await aiResponses.add(key, { text, confidence, requiresReview });
    return added === null ? problem(c, NOT_FOUND) : c.json(added, 201);
  });

  router.openapi(approve, async (c) => {
    const key = { tenantId: c.var.principal.tenantId, id: c.req.valid("param").responseId };
    const reviewedBy = c.req.valid("json").reviewed_by;
    const decided = await aiResponses.decide(key, { decision: "approved", reviewedBy });
    return decided === null ? problem(c, NOT_FOUND) : c.json(decided, 200);
  });

  router.openapi(reject, async (c) => {
    const key = { tenantId: c.var.principal.tenantId, id: c.req.valid("param").responseId };
    const { reviewed_by: reviewedBy, reason } = c.req.valid("json");
    const decided = await aiResponses.decide(key, { decision: "rejected", reviewedBy, reason });
    return decided === null ? problem(c, NOT_FOUND) : c.json(decided, 200);
  });

  return router;
}

const NOT_FOUND = { status: 404, code: "not_found", detail: "There is no such answer or ticket." } as const;
