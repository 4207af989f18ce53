import { onTestFinished } from "vitest";
import { INGRESS_SECRET, startApp } from "../../support/app.js";

/** The API as the workers of one test see it: where they post to, and what it has stored. */
export interface LeasingApi {
  readonly url: string;
  readonly secret: string;
  /** What people said, each as often as it was stored; oldest first. */
  texts(): Promise<readonly string[]>;
  gaps(): Promise<number>;
}

/** The connector's own routes, over what is kept in memory. */
export async function startLeasingApi(): Promise<LeasingApi> {
  const app = await startApp({ storeMessageText: true });
  onTestFinished(() => app.close());
  return {
    url: app.url,
    secret: INGRESS_SECRET,
    texts: async () => app.ingested.map(({ data }) => String(data.text)),
    gaps: async () => app.published.filter(({ type }) => type === "discord.gap").length,
  };
}
