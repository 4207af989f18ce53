import { type EngineSource, supportSource, xtsystemsSource } from "@hookline/engine";
import type { Environment } from "./environment.js";

/** The webhooks that come in: each is closed unless a secret is configured, or development opens it by name. */
export function configuredSources(environment: Environment): readonly EngineSource[] {
  const { TENANT_ID: tenantId, XTSYSTEMS_WEBHOOK_SECRET: xtsystems, SUPPORT_WEBHOOK_SECRET: support } = environment;
  return [
    ...(xtsystems ? [xtsystemsSource({ tenantId, secrets: xtsystems })] : []),
    ...(support ? [supportSource({ tenantId, secrets: support })] : []),
    ...(!support && environment.SUPPORT_WEBHOOK_OPEN ? [supportSource({ tenantId, open: true })] : []),
  ];
}
