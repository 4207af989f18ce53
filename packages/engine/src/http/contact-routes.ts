import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { DEFAULTS } from "../defaults.js";
import type { Engine } from "../engine.js";
import { actorOf } from "./access-routes.js";
import { jsonAnswer } from "./json-content.js";
import { type ProblemResponse, problem, problemResponses } from "./problem.js";
import { type ApiKeyEnv, requireApiKey } from "./require-api-key.js";
import { createRouter } from "./router.js";

const contactSchema = z
  .object({
    id: z.string(),
    tenantId: z.string(),
    identities: z.array(z.object({ kind: z.string(), value: z.string() })),
    properties: z.record(z.string(), z.unknown()),
    aliases: z.array(z.string()),
    firstSeenAt: z.iso.datetime().nullable(),
    lastSeenAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi("Contact");

const eventSchema = z
  .object({
    id: z.string(),
    type: z.string(),
    timestamp: z.iso.datetime(),
    tenantId: z.string(),
    subjectId: z.string().optional(),
    data: z.unknown(),
  })
  .openapi("Event");

const page = {
  limit: z.coerce.number().int().min(1).max(DEFAULTS.maxPageLimit).optional(),
  cursor: z.string().max(512).optional(),
};
const nextCursor = z.string().nullable();
const refusals = problemResponses({
  400: "A parameter is wrong.",
  401: "No valid API key.",
  403: "The scope is missing.",
});
const notFound = problemResponses({ 404: "There is no such contact." });
const secured = { security: [{ apiKey: [] }], tags: ["Contacts and events"] };

const listContacts = createRoute({
  method: "get",
  path: "/v1/contacts",
  summary: "List contacts, newest first, find the one with an identity, or search by the beginning of identities",
  ...secured,
  request: {
    query: z
      .object({
        ...page,
        kind: z.string().max(64).optional(),
        value: z.string().max(512).optional(),
        search: z.string().min(DEFAULTS.minSearchCharacters).max(512).optional(),
      })
      .refine(({ kind, value }) => (kind === undefined) === (value === undefined), {
        message: "kind and value go together",
        path: ["value"],
      }),
  },
  responses: {
    200: jsonAnswer(z.object({ contacts: z.array(contactSchema), nextCursor }), "A page of contacts."),
    ...refusals,
  },
});

const getContact = createRoute({
  method: "get",
  path: "/v1/contacts/{contactId}",
  summary: "Get a contact, also by the id of one that was merged into it",
  ...secured,
  request: { params: z.object({ contactId: z.string().max(128) }) },
  responses: { 200: jsonAnswer(contactSchema, "The contact."), ...refusals, ...notFound },
});

const getTimeline = createRoute({
  method: "get",
  path: "/v1/contacts/{contactId}/timeline",
  summary: "List a contact's events, newest first",
  ...secured,
  request: {
    params: z.object({ contactId: z.string().max(128) }),
    query: z.object({ ...page, type: z.string().max(128).optional() }),
  },
  responses: {
    200: jsonAnswer(z.object({ events: z.array(eventSchema), nextCursor }), "A page of events."),
    ...refusals,
    ...notFound,
  },
});

const exportContact = createRoute({
  method: "get",
  path: "/v1/contacts/{contactId}/export",
  summary: "Export everything that is held about a contact",
  ...secured,
  request: { params: z.object({ contactId: z.string().max(128) }) },
  responses: { 200: jsonAnswer(z.record(z.string(), z.unknown()), "What is held."), ...refusals, ...notFound },
});

const eraseContact = createRoute({
  method: "delete",
  path: "/v1/contacts/{contactId}",
  summary: "Erase a contact, with the personal data of its events",
  ...secured,
  request: { params: z.object({ contactId: z.string().max(128) }) },
  responses: {
    200: jsonAnswer(
      z.object({
        id: z.string(),
        contactId: z.string(),
        status: z.enum(["running", "done"]),
        events: z.number().int(),
        requestedAt: z.iso.datetime(),
        finishedAt: z.iso.datetime().nullable(),
      }),
      "Nothing is left; or what a worker is sending right now is, when it says running: ask again.",
    ),
    ...refusals,
    ...notFound,
  },
});

const listEvents = createRoute({
  method: "get",
  path: "/v1/events",
  summary: "List events, newest first",
  ...secured,
  request: {
    query: z.object({
      ...page,
      type: z.string().max(128).optional(),
      subjectId: z.string().max(128).optional(),
      since: z.iso.datetime().optional().openapi({ description: "With a timestamp of this time or later." }),
      until: z.iso.datetime().optional().openapi({ description: "With a timestamp before this time." }),
    }),
  },
  responses: {
    200: jsonAnswer(z.object({ events: z.array(eventSchema), nextCursor }), "A page of events."),
    ...refusals,
  },
});

/** What an API key with the scope `read` may see of its tenant; export and erasure need `admin`. */
export function createContactRoutes(engine: Engine): OpenAPIHono<ApiKeyEnv> {
  const router = createRouter<ApiKeyEnv>();
  const readable = requireApiKey(engine, "read");
  const administrative = requireApiKey(engine, "admin");
  for (const path of ["/v1/contacts", "/v1/contacts/*", "/v1/events"]) {
    router.use(path, (c, next) => {
      const isAdministrative = c.req.method === "DELETE" || c.req.path.endsWith("/export");
      return (isAdministrative ? administrative : readable)(c, next);
    });
  }
  const { contacts, parts } = engine;

  router.openapi(listContacts, async (c) => {
    const { kind, value, search, ...query } = c.req.valid("query");
    const { tenantId } = c.var.principal;
    if (kind !== undefined && value !== undefined) {
      const contact = await contacts.findByIdentity({ tenantId, kind, value });
      return c.json({ contacts: contact ? [contact] : [], nextCursor: null } as never, 200);
    }
    const wanted = { tenantId, ...present(query) };
    const found = search === undefined ? contacts.list(wanted) : contacts.search({ ...wanted, text: search });
    return c.json((await found) as never, 200);
  });

  router.openapi(getContact, async (c) => {
    const contact = await contacts.get({ tenantId: c.var.principal.tenantId, ...c.req.valid("param") });
    return contact ? c.json(contact as never, 200) : noContact(c);
  });

  router.openapi(getTimeline, async (c) => {
    const events = await contacts.timeline({
      tenantId: c.var.principal.tenantId,
      ...c.req.valid("param"),
      ...present(c.req.valid("query")),
    });
    return events ? c.json(events as never, 200) : noContact(c);
  });

  router.openapi(exportContact, async (c) => {
    const { tenantId } = c.var.principal;
    const exported = await contacts.export({ tenantId, ...c.req.valid("param"), actor: actorOf(c.var.principal) });
    c.header("cache-control", "no-store");
    return exported ? c.json(exported as never, 200) : noContact(c);
  });

  router.openapi(eraseContact, async (c) => {
    const { tenantId } = c.var.principal;
    const erasure = await contacts.erase({ tenantId, ...c.req.valid("param"), actor: actorOf(c.var.principal) });
    return erasure ? c.json(erasure as never, 200) : noContact(c);
  });

  router.openapi(listEvents, async (c) => {
    const { subjectId, since, until, ...query } = present(c.req.valid("query"));
    const events = await parts.eventLog.list({
      tenantId: c.var.principal.tenantId,
      ...query,
      ...(subjectId === undefined ? {} : { subjectIds: [subjectId] }),
      ...(since === undefined ? {} : { since: new Date(since) }),
      ...(until === undefined ? {} : { until: new Date(until) }),
    });
    return c.json(events as never, 200);
  });

  return router;
}

function noContact(c: Parameters<typeof problem>[0]): ProblemResponse {
  return problem(c, { status: 404, code: "contact_not_found", detail: "There is no such contact." });
}

/** The same object without its undefined entries. */
function present<T extends object>(object: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}
