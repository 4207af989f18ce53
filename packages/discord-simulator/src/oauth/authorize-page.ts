import { type Context, Hono } from "hono";
import { html } from "hono/html";
import { isDiscordSimulatorError } from "../errors.js";
import type { Simulation } from "../simulation.js";
import { decide, readAuthorizeQuery } from "./authorization.js";

/** The page on which a person allows or refuses what an application asks for. */
export function createAuthorizeApp(simulation: Simulation): Hono {
  const { world } = simulation;
  const app = new Hono();

  const show = (c: Context) => {
    const { scopes, guildId } = readAuthorizeQuery(simulation, new URL(c.req.url).searchParams);
    const people = [...world.users.values()].filter(({ user }) => !user.bot);
    const guilds = scopes.includes("bot") ? [...world.guilds.values()] : [];
    return c.html(
      page(
        "Authorize",
        html`<form method="post">
          <h2>${world.application.name} asks for access</h2>
          <p>It wants: <code>${scopes.join(", ")}</code></p>
          <label for="member">You are</label>
          <select id="member" name="member">
            ${people.map(({ user }) => html`<option value="${user.username}">${user.global_name ?? user.username}</option>`)}
          </select>
          ${
            guilds.length > 0
              ? html`<label for="guild">Add to</label>
                  <select id="guild" name="guild">
                    ${guilds.map(({ id, name }) => html`<option value="${id}" ${id === guildId ? "selected" : ""}>${name}</option>`)}
                  </select>`
              : ""
          }
          <div class="actions">
            <button class="plain" name="decision" value="cancel">Cancel</button>
            <button class="primary" name="decision" value="authorize">Authorize</button>
          </div>
        </form>`,
      ),
    );
  };

  const answer = async (c: Context) => {
    const form = await c.req.parseBody();
    return c.redirect(
      decide(simulation, new URL(c.req.url).searchParams, {
        member: String(form.member),
        allowed: form.decision === "authorize",
        guild: typeof form.guild === "string" ? form.guild : undefined,
      }),
    );
  };

  for (const path of ["/oauth2/authorize", "/api/oauth2/authorize"]) {
    app.get(path, show);
    app.post(path, answer);
  }
  app.onError((error, c) => {
    if (isDiscordSimulatorError(error)) {
      return c.html(page("Error", html`<h2>${error.message}</h2>`), 400);
    }
    throw error;
  });
  return app;
}

function page(title: string, content: ReturnType<typeof html>) {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
        <link rel="stylesheet" href="/page/style.css" />
        <link rel="stylesheet" href="/page/modal.css" />
      </head>
      <body class="alone">
        <dialog open>${content}</dialog>
      </body>
    </html>`;
}
