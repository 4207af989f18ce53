import { createApp } from "../../src/index.js";
import type { World } from "./world.js";

/** Who asks for a link in these tests. */
export const ask = { platformUserId: "80351110224678912", platformUserName: "nelly", email: "Jo@Example.com" };
/** How a browser sends the form. */
export const FORM = { "content-type": "application/x-www-form-urlencoded" };

export async function mint(world: World, over: Partial<typeof ask> = {}): Promise<string> {
  const minted = await world.coldConnect.mintConfirm({ ...ask, ...over });
  if (!minted.ok) throw new Error(minted.reason);
  return minted.token;
}

/** Opens links, and presses the buttons of their pages. */
export function visitor(world: World) {
  const app = createApp(world.engine, { routes: [world.coldConnect.routes] });
  return {
    get: async (token: string, path = "/connect/discord") => app.request(`${path}?token=${token}`),
    post: async (token: string, path = "/connect/discord") =>
      app.request(path, { method: "POST", headers: FORM, body: new URLSearchParams({ token }).toString() }),
    refuse: async (token: string) =>
      app.request("/connect/discord", {
        method: "POST",
        headers: FORM,
        body: new URLSearchParams({ token, answer: "not-me" }).toString(),
      }),
  };
}
