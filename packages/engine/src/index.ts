export type { ApiKey, ApiKeyReference, ApiKeyScope, ApiKeys, NewApiKey, Principal } from "./access/api-keys.js";
export type { Audit, AuditAct, AuditEntry, AuditPage, AuditQuery } from "./access/audit.js";
export { type Notices, ROTATION_DUE_EVENT, type SecretAge } from "./access/rotation-notices.js";
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
} from "./cold-connect/options.js";
export { type PostHogOptions, postHogAnalytics } from "./cold-connect/posthog.js";
export type { Contact, ContactPage, ContactQuery, Contacts, EventPage, TimelineQuery } from "./contacts/contacts.js";
export type { ContactExport, ContactReference, Erasure } from "./contacts/personal-data.js";
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
export { EngineError, type EngineErrorCode, isEngineError } from "./errors.js";
export { type AppOptions, createApp } from "./http/app.js";
export type { Gauge, MetricsOptions } from "./http/metrics.js";
export { type ProblemResponse, problem, problemResponses } from "./http/problem.js";
export type { RemoteAddressOptions } from "./http/remote-address.js";
export { type ApiKeyEnv, requireApiKey } from "./http/require-api-key.js";
export { createRouter } from "./http/router.js";
export { normaliseEmail } from "./identity/email.js";
export type { LinkContact, Linked, LinkInput } from "./identity/link-contact.js";
export { type ConfirmMailInput, createConfirmMail } from "./mail/confirm-mail.js";
export { createLocalMailer, type LocalMail, type LocalMailer } from "./mail/local-mailer.js";
export { createSmtpMailer, type SmtpMailer, type SmtpMailerOptions } from "./mail/smtp-mailer.js";
export { createPostgresReplayStore } from "./replay/postgres-replay-store.js";
export { createRedisReplayStore, type RedisCommands } from "./replay/redis-replay-store.js";
export type { EngineSource } from "./sources/check-source.js";
export type {
  Execution,
  ExecutionPage,
  Refusal,
  RefusalPage,
  RefusalReason,
  SourceQuery,
  Sources,
} from "./sources/source-log.js";
export { type SupportSourceOptions, supportSource } from "./sources/support-source.js";
export { type XtsystemsSourceOptions, xtsystemsSource } from "./sources/xtsystems-source.js";
export type { RateLimitRedis, Store, StoreOptions } from "./storage/store.js";
