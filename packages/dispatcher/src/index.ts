export type { AddressGuardOptions, ResolvedAddress } from "./address-guard.js";
export type { CircuitBreakerOptions } from "./circuit-breaker.js";
export type { ProxyOptions } from "./connector.js";
export type { Deliveries } from "./deliveries.js";
export type {
  Attempt,
  AttemptErrorCode,
  AttemptPhases,
  Delivery,
  DeliveryDetail,
  DeliveryEnding,
  DeliveryStatus,
  LoggedDelivery,
} from "./delivery.js";
export type { RetriedMany, RetryMany, RetryRefusal, RetryResult } from "./delivery-retries.js";
export type { DeliveryFilter, DeliveryQuery } from "./delivery-search.js";
export type { WebhookProfileName, WebhookSchemeName, WebhookTarget } from "./destinations/webhook-target.js";
export { createDispatcher, type Dispatcher, type TypedDispatcher } from "./dispatcher.js";
export type {
  Endpoint,
  EndpointChanges,
  EndpointHealth,
  EndpointInput,
  EndpointPolicy,
  RotatedEndpoint,
  SecretRotation,
  TenantScoped,
} from "./endpoint.js";
export type { ReencryptedEndpoints } from "./endpoint-reencryption.js";
export type { EndpointTest, EndpointTestResult } from "./endpoint-test.js";
export type { EndpointVerification } from "./endpoint-verification.js";
export type { EndpointQuery, Endpoints } from "./endpoints.js";
export { DispatcherError, type DispatcherErrorCode, type FieldIssue, isDispatcherError } from "./errors.js";
export type { DispatcherEvents, EventDetail, ExpungedEvent } from "./event-log.js";
export type { EventTypeDescription, EventTypes } from "./event-type-list.js";
export type { DispatcherHealth, QueueHealth } from "./health.js";
export type { AttemptReport, DispatcherHooks } from "./hooks.js";
export type { RateLimit, TenantLimits, TenantLimitsOption } from "./limits.js";
export {
  type BacklogGrowing,
  type DeliveryExhausted,
  type EndpointDisabled,
  type EndpointRecovering,
  OPERATIONAL_EVENTS,
} from "./operational-events.js";
export type { DispatcherOptions, TelemetryOptions } from "./options.js";
export type { Recoveries, RecoveryQuery } from "./recoveries.js";
export type { RecoverableStatus, Recovery, RecoveryInput, RecoveryStatus } from "./recovery.js";
export type { RetentionOptions } from "./retention.js";
export { RETRY_SCHEDULE, type RetrySchedule } from "./retry-schedule.js";
export type { SingleAttempt } from "./single-attempt.js";
export type { EventData, TypedEvent, TypedEvents } from "./typed-event.js";
