import type { Logger } from "@hookline/core";
import type { Endpoints } from "@hookline/dispatcher";
import type { Engine, SecretAge } from "@hookline/engine";

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * What the app looks after at start and once a day: what is encrypted with an older key, secrets that are due for
 * rotation, and erasures that were broken off.
 */
export function createUpkeep(options: {
  readonly engine: Pick<Engine, "notices" | "contacts" | "apiKeys" | "credentials">;
  readonly endpoints: Pick<Endpoints, "list" | "reencrypt">;
  readonly logger: Logger;
}) {
  const { engine, endpoints, logger } = options;
  let timer: ReturnType<typeof setInterval> | null = null;
  let running: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    try {
      for (const { tenantId, kind, id } of await engine.notices.publishRotationDue({
        further: await allEndpointSecrets(options),
      })) {
        logger.warn({ tenantId, kind, id }, "a secret is due for rotation");
      }
      await engine.contacts.resumeErasures();
      const credentials = await engine.credentials.reencrypt({ actor: "upkeep" });
      const signed = await endpoints.reencrypt();
      const found = [credentials, signed].some(({ reencrypted, unreadable }) => reencrypted + unreadable > 0);
      if (found) logger.info({ credentials, endpoints: signed }, "what was encrypted with an older key was looked at");
    } catch (error) {
      logger.error({ err: error }, "the daily upkeep failed, trying again tomorrow");
    }
  }

  return {
    start() {
      running = look();
      timer = setInterval(() => {
        running = running.then(look);
      }, DAY_MS);
      timer.unref();
    },
    async stop() {
      if (timer) clearInterval(timer);
      await running;
    },
  };
}

interface EndpointsOfAll {
  readonly engine: Pick<Engine, "apiKeys">;
  readonly endpoints: Pick<Endpoints, "list">;
}

/** Of every tenant: who has no API key has made no endpoint. */
async function allEndpointSecrets({ engine, endpoints }: EndpointsOfAll) {
  const ages: SecretAge[] = [];
  for (const tenantId of await engine.apiKeys.tenants()) ages.push(...(await endpointSecrets({ endpoints, tenantId })));
  return ages;
}

/** Since when each endpoint of the tenant signs with its newest secret. */
async function endpointSecrets(from: { readonly endpoints: Pick<Endpoints, "list">; readonly tenantId: string }) {
  const { tenantId } = from;
  const ages: SecretAge[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await from.endpoints.list({ tenantId, limit: 200, ...(cursor ? { cursor } : {}) });
    for (const { id, secretMadeAt: since } of page.endpoints) {
      if (since !== null) ages.push({ tenantId, kind: "endpoint_secret", id, since });
    }
    cursor = page.nextCursor;
  } while (cursor);
  return ages;
}
