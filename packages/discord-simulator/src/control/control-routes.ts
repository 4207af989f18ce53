import type { Context } from "hono";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { DiscordSimulatorError, type DiscordSimulatorErrorCode, isDiscordSimulatorError } from "../errors.js";
import type { Simulation } from "../simulation.js";
import type { ControlCall } from "./control-face.js";

const STATUS: Partial<Record<DiscordSimulatorErrorCode, 403 | 404 | 408 | 409 | 422>> = {
  unknown_guild: 404,
  unknown_channel: 404,
  unknown_member: 404,
  unknown_role: 404,
  unknown_message: 404,
  unknown_interaction: 404,
  unknown_component: 404,
  unknown_emoji: 404,
  unknown_command: 404,
  unknown_action: 404,
  not_a_member: 404,
  not_permitted: 403,
  interaction_failed: 409,
  no_modal: 409,
  no_reply: 408,
  interactions_url_refused: 422,
  webhook_events_url_refused: 422,
  not_authorized: 409,
};

/** `POST /simulator/<action>` with a JSON object, `GET` for actions that only read, and `GET /simulator/changes`. */
export function createControlApp(simulation: Simulation, call: ControlCall): Hono {
  const app = new Hono();

  app.use(async (c, next) => {
    const origin = c.req.header("origin");
    if (origin !== undefined && origin !== `http://${c.req.header("host")}`) {
      return problem(c, 403, { code: "not_permitted", detail: "Other sites may not control the simulator." });
    }
    return next();
  });

  app.get("/simulator/changes", (c) =>
    streamSSE(c, async (stream) => {
      const wake = { now: () => {} };
      let changed = true;
      const unsubscribe = simulation.bus.onChange(() => {
        changed = true;
        wake.now();
      });
      stream.onAbort(() => wake.now());
      try {
        while (!stream.aborted) {
          if (changed) {
            changed = false;
            await stream.writeSSE({ event: "changed", data: "" });
          }
          await new Promise<void>((resolve) => {
            wake.now = resolve;
            if (changed || stream.aborted) {
              resolve();
            }
          });
        }
      } finally {
        unsubscribe();
      }
    }),
  );

  for (const action of ["state", "messages", "requests"]) {
    app.get(`/simulator/${action}`, async (c) => c.json((await call(action, c.req.query())) as object));
  }

  app.post("/simulator/:action", async (c) => {
    const input = await readInput(c);
    return c.json((await call(c.req.param("action"), input)) as object);
  });

  app.onError((error, c) => {
    if (isDiscordSimulatorError(error)) {
      return problem(c, STATUS[error.code as DiscordSimulatorErrorCode] ?? 400, {
        code: error.code,
        detail: error.message,
      });
    }
    simulation.options.logger.error({ err: error }, "a control action failed");
    return problem(c, 500, { code: "internal_error", detail: "The simulator failed; its log says why." });
  });
  return app;
}

async function readInput(c: Context): Promise<Record<string, unknown>> {
  const text = await c.req.text();
  try {
    const value: unknown = text === "" ? {} : JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch (error) {
    throw new DiscordSimulatorError("invalid_input", "The body is not JSON.", { cause: error });
  }
  throw new DiscordSimulatorError("invalid_input", "The body must be a JSON object.");
}

function problem(c: Context, status: 400 | 403 | 404 | 408 | 409 | 422 | 500, body: { code: string; detail: string }) {
  return c.body(JSON.stringify({ type: "about:blank", title: body.code, status, ...body }), status, {
    "content-type": "application/problem+json",
  });
}
