export type { ApiKey, ApiKeyReference, ApiKeyScope, ApiKeys, NewApiKey, Principal } from "./access/api-keys.js";
export type { Audit, AuditAct, AuditEntry, AuditPage, AuditQuery } from "./access/audit.js";
export { type Notices, ROTATION_DUE_EVENT } from "./access/rotation-notices.js";
export type { SecretAge } from "./access/secret-ages.js";
export type { AccountKey, AccountTokens, ClaimedTokens, GrantedTokens } from "./account-tokens/account-tokens.js";
export type { Automation, AutomationKey } from "./automations/automation-store.js";
export type {
  AutomationChanges,
  AutomationSample,
  Automations,
  AutomationTestResult,
  NewAutomation,
  TestedStep,
} from "./automations/automations.js";
export type { AutomationDefinition, AutomationStep } from "./automations/definition.js";
export type {
  AutomationExecution,
  AutomationExecutionPage,
  ExecutionQuery,
  StepExecution,
} from "./automations/execution-log.js";
export type { AnalyticsAdapter, IdentifiedPerson } from "./cold-connect/analytics.js";
export type { BindResult } from "./cold-connect/bind.js";
export {
  type ColdConnect,
  type ConfirmInput,
  createColdConnect,
  type MintResult,
  type RequestResult,
  type UnbindInput,
} from "./cold-connect/cold-connect.js";
export type {
  AfterBindOutcome,
  Binding,
  BindingIngest,
  Bound,
  Branding,
  ColdConnectOptions,
  ConfirmMailing,
  ThrottleOptions,
  Unbound,
} from "./cold-connect/options.js";
export { type PostHogOptions, postHogAnalytics } from "./cold-connect/posthog.js";
export type { UnbindResult } from "./cold-connect/unbind.js";
export type { Contact, ContactPage, ContactQuery, Contacts, EventPage, TimelineQuery } from "./contacts/contacts.js";
export type { ContactExport, ContactReference, Erasure } from "./contacts/personal-data.js";
export type { Person, PersonalDataHolder } from "./contacts/personal-data-holder.js";
export {
  type CredentialKey,
  type CredentialStore,
  type Credentials,
  type DerivedCredential,
  getDerivedCredential,
  type Reencrypted,
  saveDerivedCredential,
} from "./credentials/derived-credential.js";
export { createEngine, type Engine, type EngineOptions, type EngineParts, type Health } from "./engine.js";
export { EngineError, type EngineErrorCode, type EngineErrorIssue, isEngineError } from "./errors.js";
export { type AppOptions, createApp } from "./http/app.js";
export { jsonBody } from "./http/json-content.js";
export type { Gauge, MetricsOptions } from "./http/metrics.js";
export { type ProblemResponse, problem, problemResponses } from "./http/problem.js";
export type { RemoteAddressOptions } from "./http/remote-address.js";
export { type ApiKeyEnv, requireApiKey } from "./http/require-api-key.js";
export { createRouter } from "./http/router.js";
export { normaliseEmail } from "./identity/email.js";
export type { LinkContact, Linked, LinkInput } from "./identity/link-contact.js";
export type {
  Installation,
  InstallationKey,
  Installations,
  NewInstallation,
  SavedInstallation,
  SettingsChange,
} from "./installations/installations.js";
export { type ConfirmMailInput, createConfirmMail } from "./mail/confirm-mail.js";
export { createLocalMailer, type LocalMail, type LocalMailer, type LocalMailQuery } from "./mail/local-mailer.js";
export { createSmtpMailer, type SmtpMailer, type SmtpMailerOptions } from "./mail/smtp-mailer.js";
export { createPostgresReplayStore } from "./replay/postgres-replay-store.js";
export { createRedisReplayStore, type RedisCommands } from "./replay/redis-replay-store.js";
export type { EngineSource } from "./sources/check-source.js";
export type { FieldType, SourceField } from "./sources/field-schema.js";
export { type GithubSourceOptions, githubSource } from "./sources/github-source.js";
export type {
  Execution,
  ExecutionPage,
  ExecutionTotals,
  Refusal,
  RefusalPage,
  RefusalQuery,
  RefusalReason,
  SourceExecutionQuery,
  SourceHistory,
  SourceQuery,
} from "./sources/source-log.js";
export type { SourceKey, SourceSecrets } from "./sources/source-secrets.js";
export type { Sources } from "./sources/sources.js";
export { type StandardWebhooksSourceOptions, standardWebhooksSource } from "./sources/standard-webhooks-source.js";
export type { SourceChanges, SourceDefinition, StoredSource } from "./sources/stored-source.js";
export type { StoredSourceQuery } from "./sources/stored-source-rows.js";
export type {
  NewStoredSource,
  RotatedSource,
  SecretRotation,
  SourceReference,
  StoredSourcePage,
  StoredSources,
} from "./sources/stored-sources.js";
export { type StripeSourceOptions, stripeSource } from "./sources/stripe-source.js";
export { type SupportSourceOptions, supportSource } from "./sources/support-source.js";
export { type XtsystemsSourceOptions, xtsystemsSource } from "./sources/xtsystems-source.js";
export type { EngineRedis, RateLimitRedis, Store, StoreOptions } from "./storage/store.js";
