import {
  type EngineSource,
  githubSource,
  standardWebhooksSource,
  stripeSource,
  supportSource,
  xtsystemsSource,
} from "@hookline/engine";
import type { Environment } from "./environment.js";

/** The webhooks that come in: each is closed unless a secret is configured, or development opens it by name. */
export function configuredSources(environment: Environment): readonly EngineSource[] {
  const { TENANT_ID: tenantId, XTSYSTEMS_WEBHOOK_SECRET: xtsystems, SUPPORT_WEBHOOK_SECRET: support } = environment;
  const { GITHUB_WEBHOOK_SECRET: github, STRIPE_WEBHOOK_SECRET: stripe } = environment;
  const { STANDARD_WEBHOOK_SECRET: standard } = environment;
  return [
    ...(xtsystems ? [xtsystemsSource({ tenantId, secrets: xtsystems })] : []),
    ...(github ? [githubSource({ tenantId, secrets: github })] : []),
    ...(stripe ? [stripeSource({ tenantId, secrets: stripe })] : []),
    ...(standard ? [standardWebhooksSource({ tenantId, secrets: standard })] : []),
    ...(support ? [supportSource({ tenantId, secrets: support })] : []),
    ...(!support && environment.SUPPORT_WEBHOOK_OPEN ? [supportSource({ tenantId, open: true })] : []),
  ];
}
